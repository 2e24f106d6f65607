import { changesKey, type KeyedInput, type Step } from './step.ts'

/**
 * Puts a repartition in front of every key-based step that a key change precedes, so that equal keys meet in one task. Key-based steps
 * that read the same stream with the same serdes share one. Steps keep their order and meaning otherwise.
 *
 * A repartition lets null keys through if a left or outer join of a stream is below, however far (KIP-962), and by way of whatever, as in Kafka Streams.
 */
export function insertRepartitions(steps: readonly Step[]): readonly Step[] {
  const planned: Step[] = []
  const plannedOf = new Map<Step, Step>()
  const rekeyed = new Set<Step>()
  const repartitions = new Map<Step, Repartition[]>()
  const relaxed = stepsAboveRelaxedJoins(steps)

  const repartitioned = (parent: Step, input: KeyedInput, reader: Step): Step => {
    if (!rekeyed.has(parent)) return parent
    const existing = repartitions.get(parent) ?? []
    const shared = existing.find((candidate) => serves(candidate, input))
    if (shared !== undefined) {
      shared.body.keepsNullKeys ||= relaxed.has(reader)
      return shared
    }
    const made = repartitionFor(parent, input, relaxed.has(reader))
    repartitions.set(parent, [...existing, made])
    planned.push(made)
    return made
  }

  for (const step of steps) {
    const { keyed } = step
    const above = step.parents.map((parent) => plannedOf.get(parent) ?? parent)
    const parents = above.map((parent, side) => {
      const input = step.keyedSides?.[side] ?? keyed
      return input === undefined ? parent : repartitioned(parent, input, step)
    })
    const keeps = step.body.kind === 'repartition' && relaxed.has(step)
    const next: Step = { ...step, parents, ...(keeps && { body: { ...step.body, keepsNullKeys: true } }) }
    planned.push(next)
    plannedOf.set(step, next)
    const inherits = next.body.kind !== 'repartition' && parents.some((parent) => rekeyed.has(parent))
    if (inherits || changesKey(next)) rekeyed.add(next)
  }
  return planned
}

/** An automatic repartition while it is planned: who else shares it may have a use for null keys. */
interface Repartition extends Step {
  readonly body: {
    readonly kind: 'repartition'
    readonly explicit: false
    keepsNullKeys: boolean
    readonly key: KeyedInput['key']
    readonly value: KeyedInput['value']
  }
}

function repartitionFor(parent: Step, { name, key, value }: KeyedInput, keepsNullKeys: boolean): Repartition {
  return {
    verb: 'repartition',
    label: name,
    parents: [parent],
    body: { kind: 'repartition', explicit: false, keepsNullKeys, key, value }
  }
}

function serves({ label, body }: Repartition, { name, key, value }: KeyedInput): boolean {
  return label === name && body.key === key && body.value === value
}

/** Joins that take records with null keys, and all that is above them. */
function stepsAboveRelaxedJoins(steps: readonly Step[]): ReadonlySet<Step> {
  const found = new Set<Step>()
  for (const step of steps.toReversed()) {
    if (isRelaxedJoin(step)) found.add(step)
    if (!found.has(step)) continue
    // A stream only looks the rows of a table up: nothing of the table comes this way.
    const parents = step.body.kind === 'stream-table-join' ? step.parents.slice(0, 1) : step.parents
    for (const parent of parents) found.add(parent)
  }
  return found
}

function isRelaxedJoin({ body }: Step): boolean {
  switch (body.kind) {
    case 'stream-join':
    case 'stream-table-join':
    case 'stream-global-join':
      return body.join !== 'inner'
    default:
      return false
  }
}
