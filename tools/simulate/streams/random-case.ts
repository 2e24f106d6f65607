import type { GoldenCase } from '../../golden/case.ts'
import { randomInput } from '../../golden/random-input.ts'
import { randomSource } from '../../golden/random-source.ts'
import { randomTopology } from '../../golden/random-topology.ts'

/** A topology and what it is fed. */
export type RandomCase = Pick<GoldenCase, 'name' | 'topology' | 'input'>

/** The case of a seed: the same that `npm run golden:generate` writes for it. */
export function randomCase(seed: number): RandomCase {
  const random = randomSource(seed)
  const topology = randomTopology(random)
  return { name: `generated-${seed}`, topology, input: randomInput(topology, random) }
}
