import { interpret } from '../../golden/interpret.ts'
import { type Simulation, SimulationFailedError, type SimulationResult } from '../simulation.ts'
import { compareEmbedded } from './compare-embedded.ts'
import { compareSimulated, type SimulatedComparison } from './compare-simulated.ts'
import { type RandomCase, randomCase } from './random-case.ts'
import { type Failure, shrink } from './shrink.ts'

/**
 * Random topologies of three to twelve operators on random input. The runtime on an embedded log must say what the test driver says, record by record; and so
 * must three simulated instances with faults in the end, as far as a result does not depend on who processes what when.
 */
export const streamSimulation: Simulation = {
  name: 'streams',
  description: 'random topologies: the test driver, an embedded log and three instances with faults come to the same',
  run: (seed) => simulateStreams(randomCase(seed), seed)
}

/**
 * Compares one case.
 * @throws SimulationFailedError with the smallest case that still fails.
 */
export async function simulateStreams(given: RandomCase, seed: number): Promise<SimulationResult> {
  const embedded: Failure = (candidate) => attempt(candidate, () => compareEmbedded(candidate, seed))
  const simulated: Failure = (candidate) =>
    attempt(candidate, async () => (await compareSimulated(candidate, seed)).difference)
  const difference = await said(() => compareEmbedded(given, seed))
  if (difference !== undefined) throw await failed(given, seed, { difference, failure: embedded })
  let result: SimulatedComparison['result']
  const inEnd = await said(async () => {
    const comparison = await compareSimulated(given, seed)
    result = comparison.result
    return comparison.difference
  })
  if (inEnd !== undefined) throw await failed(given, seed, { difference: inEnd, failure: simulated })
  const counts = { nodes: given.topology.length, records: given.input.length, simulated: result === undefined ? 0 : 1 }
  return { traceHash: result?.traceHash ?? '', counts: { ...counts, ...result?.counts } }
}

async function failed(
  given: RandomCase,
  seed: number,
  found: { readonly difference: string; readonly failure: Failure }
): Promise<SimulationFailedError> {
  const { smallest, difference } = await shrink(given, found)
  const story = [
    `${given.topology.length} nodes and ${given.input.length} records, shrunk to ${smallest.topology.length} and ${smallest.input.length}:`,
    ...smallest.topology.map((node) => JSON.stringify(node)),
    ...smallest.input.map((input) => JSON.stringify(input)),
    ...difference.split('\n')
  ]
  return new SimulationFailedError(seed, found.difference.split('\n')[0] ?? '', story)
}

/** A case that became senseless when something was taken away does not fail: it cannot be defined. */
async function attempt(candidate: RandomCase, compare: () => Promise<string | undefined>): Promise<string | undefined> {
  if (!isDefined(candidate)) return undefined
  return said(compare)
}

async function said(compare: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await compare()
  } catch (error) {
    return `it threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`
  }
}

function isDefined({ topology }: RandomCase): boolean {
  try {
    interpret(topology)
    return true
  } catch {
    return false
  }
}
