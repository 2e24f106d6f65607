import { isTable, type Step } from './step.ts'

/** What becomes of a table because of what reads it. */
export interface TableTraits {
  /** Whether it is kept in a store. */
  readonly stored: boolean
  /** Whether its changes carry old values. */
  readonly sendsOld: boolean
  /** Of a filter: whether the table above is a versioned one, or computed from one. */
  readonly versioned: boolean
}

/**
 * Decides which tables are kept. One that was given a store is; the table of a topic or stream also is when something below reads it (a
 * join) or needs to know what a row was before (a grouping, the left side of a left join). A filter wants to know old values only where
 * that costs nothing: above it is something kept. Steps are taken in the order they were written, and a later one does not change what
 * an earlier filter knows, as in Kafka Streams.
 */
export function planTables(steps: readonly Step[]): ReadonlyMap<Step, TableTraits> {
  const plan = new TablePlan()
  for (const step of steps) plan.add(step)
  return plan.traits
}

/** Whether a table remembers earlier values, by itself or through those it is computed from. */
export function isVersioned({ body, parents }: Step): boolean {
  if ('historyMs' in body && body.historyMs !== undefined) return true
  if (!isViewOfOne(body) || !isTable(body)) return false
  return body.store === undefined && isVersioned(parents[0])
}

/** Whether a step's rows are those of the one table above, row by row: dropped, or with other values. */
export function isViewOfOne({ kind }: Step['body']): boolean {
  return kind === 'table-filter' || kind === 'table-map-values' || kind === 'table-transform-values'
}

interface MutableTraits {
  stored: boolean
  sendsOld: boolean
  versioned: boolean
}

class TablePlan {
  readonly traits = new Map<Step, MutableTraits>()

  add(step: Step): void {
    const { body, parents } = step
    const [first, second] = parents
    const traits = { stored: false, sendsOld: false, versioned: false }
    this.traits.set(step, traits)
    if (isTable(body)) traits.stored = body.store?.name !== undefined
    if (body.kind === 'table' && (isVersioned(step) || body.ttlMs !== undefined)) traits.stored = true
    if (body.kind === 'table-filter') {
      traits.versioned = isVersioned(first)
      traits.sendsOld = this.#sendOld(first, false)
    } else if (body.kind === 'table-group' || body.kind === 'suppress') {
      this.#sendOld(first, true)
    } else if (body.kind === 'table-join') {
      this.#keep(first)
      this.#keep(second)
      if (body.join !== 'inner') this.#sendOld(first, true)
      if (body.join === 'outer') this.#sendOld(second, true)
    } else if (body.kind === 'stream-table-join' || body.kind === 'foreign-key-result') {
      this.#keep(second)
    } else if (body.kind === 'foreign-key-subscribe') {
      this.#sendOld(first, true)
    } else if (body.kind === 'foreign-key-answer') {
      this.#keep(second)
      this.#sendOld(second, true)
    }
  }

  /** The table is to be readable: what it is computed from, if not itself, is kept. */
  #keep(step: Step): void {
    const traits = this.#of(step)
    if (step.body.kind === 'table') traits.stored = true
    else if (step.body.kind === 'suppress') this.#keep(step.parents[0])
    else if (!traits.stored && passesOn(step)) for (const parent of step.parents) this.#keep(parent)
  }

  /** The table's changes are to carry old values; with `force`, even if something has to be kept for it. */
  #sendOld(step: Step, force: boolean): boolean {
    const traits = this.#of(step)
    if (traits.sendsOld) return true
    if (step.body.kind === 'table') {
      if (!force && !traits.stored) return false
      traits.stored = true
    } else if (step.body.kind === 'suppress') {
      if (!this.#sendOld(step.parents[0], force)) return false
    } else if (step.body.kind === 'table-join') {
      for (const parent of step.parents) this.#sendOld(parent, true)
    } else if (!traits.stored && passesOn(step)) {
      if (!this.#sendOld(step.parents[0], force)) return false
    }
    traits.sendsOld = true
    return true
  }

  #of(step: Step): MutableTraits {
    return this.traits.get(step) ?? { stored: true, sendsOld: true, versioned: false }
  }
}

/** Whether the step's rows are those of its parents, changed or chosen, with nothing kept of its own. */
function passesOn({ body }: Step): boolean {
  return isTable(body) || ('store' in body ? false : body.kind !== 'stateless' && body.kind !== 'source')
}
