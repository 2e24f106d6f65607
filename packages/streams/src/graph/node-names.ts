import { nodeName } from './names.ts'
import type { Step } from './step.ts'
import { NameTieError } from './topology-error.ts'

/** Gives every step's node a name of its own: given names stand as they are, derived ones step aside. */
export class NodeNames {
  readonly #taken: Set<string>

  /** @throws NameTieError when two given names are one. */
  constructor(topology: string, steps: readonly Step[]) {
    const given = steps.filter((step) => step.label !== undefined && step.body.kind !== 'repartition').map(nodeName)
    refuseTies(topology, 'node', given)
    this.#taken = new Set(given)
  }

  /** The name of a step's node; each step is asked for once. */
  of(step: Step): string {
    const base = nodeName(step)
    const isGiven = step.label !== undefined && step.body.kind !== 'repartition'
    if (isGiven) return base
    let name = base
    for (let ordinal = 2; this.#taken.has(name); ordinal++) name = `${base}-${ordinal}`
    this.#taken.add(name)
    return name
  }
}

/** What makes the names differ, by what is tied. */
const remedies = {
  store: "give one a name of its own: { store: '…' }",
  'internal topic': "give one a name of its own: groupBy(…, { name: '…' }) or repartition({ name: '…' })",
  node: 'use each name once'
}

/** @throws NameTieError when two things of a topology have one name. */
export function refuseTies(topology: string, tied: keyof typeof remedies, names: readonly string[]): void {
  const seen = new Set<string>()
  for (const name of names) {
    if (seen.has(name)) throw new NameTieError({ topology, tied, name, remedy: remedies[tied] })
    seen.add(name)
  }
}
