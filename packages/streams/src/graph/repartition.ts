import { changesKey, type KeyedInput, type Step } from './step.ts'

/**
 * Puts a repartition in front of every key-based step that a key change precedes, so that equal keys meet in one task. Key-based steps
 * that read the same stream with the same serdes share one. Steps keep their order and meaning otherwise.
 */
export function insertRepartitions(steps: readonly Step[]): readonly Step[] {
  const planned: Step[] = []
  const plannedOf = new Map<Step, Step>()
  const rekeyed = new Set<Step>()
  const repartitions = new Map<Step, Step[]>()

  const repartitioned = (parent: Step, input: KeyedInput): Step => {
    if (!rekeyed.has(parent)) return parent
    const existing = repartitions.get(parent) ?? []
    const shared = existing.find((candidate) => serves(candidate, input))
    if (shared !== undefined) return shared
    const made = repartitionFor(parent, input)
    repartitions.set(parent, [...existing, made])
    planned.push(made)
    return made
  }

  for (const step of steps) {
    const { keyed } = step
    const above = step.parents.map((parent) => plannedOf.get(parent) ?? parent)
    const parents = above.map((parent, side) => {
      const input = step.keyedSides?.[side] ?? keyed
      return input === undefined ? parent : repartitioned(parent, input)
    })
    const next: Step = { ...step, parents }
    planned.push(next)
    plannedOf.set(step, next)
    const inherits = next.body.kind !== 'repartition' && parents.some((parent) => rekeyed.has(parent))
    if (inherits || changesKey(next)) rekeyed.add(next)
  }
  return planned
}

function repartitionFor(parent: Step, { name, key, value, keepsNullKeys = false }: KeyedInput): Step {
  return {
    verb: 'repartition',
    label: name,
    parents: [parent],
    body: { kind: 'repartition', explicit: keepsNullKeys, key, value }
  }
}

function serves({ label, body }: Step, { name, key, value, keepsNullKeys = false }: KeyedInput): boolean {
  if (body.kind !== 'repartition' || body.explicit !== keepsNullKeys) return false
  return label === name && body.key === key && body.value === value
}
