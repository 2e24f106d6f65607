import type { GoldenOutput } from '../case.ts'
import type { Kept } from './raced.ts'

/** How much of the order of what one input caused has to agree: all of it, where every topic keeps every update; or only that of each key. */
export type Order = 'of all' | 'of keys'

/** What came out so far, as far as it has to agree with what else may have come. */
export class OutputsAsKept {
  readonly #kept: ReadonlyMap<string, Kept>
  readonly #order: Order
  /** Of the topics of which the last update of a key is kept: an update that changes nothing may be missing. */
  readonly #rows = new Map<string, string>()

  constructor(kept: ReadonlyMap<string, Kept>, order: Order) {
    this.#kept = kept
    this.#order = order === 'of all' && [...kept.values()].every((what) => what === 'every') ? 'of all' : 'of keys'
  }

  /** Takes what one input caused. @returns what is to be compared. */
  next(outputs: readonly GoldenOutput[]): string {
    if (this.#order === 'of all') return JSON.stringify(outputs)
    const every: GoldenOutput[] = []
    for (const output of outputs) {
      const [, topic, key, value] = output
      const what = this.#kept.get(topic)
      const row = JSON.stringify([topic, key])
      if (what === 'every') every.push(output)
      else if (what === 'last' && value === null) this.#rows.delete(row)
      else if (what === 'last') this.#rows.set(row, `${value}`)
    }
    const byKey = Map.groupBy(every, ([, topic, key]) => JSON.stringify([topic, key]))
    return JSON.stringify([sorted(byKey).flatMap(([, updates]) => updates), sorted(this.#rows)])
  }
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1))
}
