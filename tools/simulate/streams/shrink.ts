import type { GoldenNode } from '../../golden/case.ts'
import { inputsOf } from '../../golden/variants/case-graph.ts'
import type { RandomCase } from './random-case.ts'

/** Says how a case fails; undefined when it does not, or cannot be run. */
export type Failure = (given: RandomCase) => Promise<string | undefined>

/** A case that fails, and how. */
export interface Shrunk {
  readonly smallest: RandomCase
  readonly difference: string
}

/** A case is not tried more often than this. */
const MOST_ATTEMPTS = 400

/**
 * Makes a failing case smaller while it fails, by delta debugging: records are left out, in ever smaller runs, and nodes, with all that reads them or so that
 * who reads them reads what they read; until nothing more can go.
 */
export async function shrink(
  given: RandomCase,
  found: { readonly difference: string; readonly failure: Failure }
): Promise<Shrunk> {
  let smallest = given
  let { difference } = found
  let attempts = 0
  const take = async (candidate: RandomCase | undefined): Promise<boolean> => {
    if (candidate === undefined || attempts++ >= MOST_ATTEMPTS) return false
    const came = await found.failure(candidate)
    if (came === undefined) return false
    smallest = candidate
    difference = came
    return true
  }
  for (let before = Number.POSITIVE_INFINITY; sizeOf(smallest) < before; ) {
    before = sizeOf(smallest)
    for (let index = smallest.topology.length - 1; index >= 0; index--) {
      for (const smaller of [without, bypassing, bypassingToSecond]) {
        if (index < smallest.topology.length && (await take(smaller(smallest, index)))) break
      }
    }
    for (let run = Math.ceil(smallest.input.length / 2); run >= 1; run = run === 1 ? 0 : Math.ceil(run / 2)) {
      for (let at = 0; at < smallest.input.length; ) {
        if (!(await take({ ...smallest, input: smallest.input.toSpliced(at, run) }))) at += run
      }
    }
  }
  return { smallest, difference }
}

function sizeOf({ topology, input }: RandomCase): number {
  return topology.length + input.length
}

/** The case without a node, and without all that reads it. */
function without(given: RandomCase, index: number): RandomCase | undefined {
  const gone = new Set(resultsOf(given.topology[index]))
  const topology = given.topology.filter((node, at) => {
    const stays = at !== index && !inputsOf(node).some((id) => gone.has(id))
    if (!stays) for (const id of resultsOf(node)) gone.add(id)
    return stays
  })
  return topology.some(({ op }) => op === 'to') ? reading(given, topology) : undefined
}

/** The case without a node, whose first input is read in its place. */
function bypassing(given: RandomCase, index: number, input = 0): RandomCase | undefined {
  const node = given.topology[index]
  const read = inputsOf(node)[input]
  if (read === undefined || node.op === 'to') return undefined
  const gone = new Set(resultsOf(node))
  const instead = (id: string): string => (gone.has(id) ? read : id)
  const topology = given.topology.toSpliced(index, 1).map((other): GoldenNode => {
    const { from, left, right } = other
    return {
      ...other,
      ...(from !== undefined && { from: typeof from === 'string' ? instead(from) : from.map(instead) }),
      ...(left !== undefined && { left: instead(left) }),
      ...(right !== undefined && { right: instead(right) })
    }
  })
  return reading(given, topology)
}

function bypassingToSecond(given: RandomCase, index: number): RandomCase | undefined {
  return bypassing(given, index, 1)
}

/** Only with the records of topics that are still read. */
function reading({ name, input }: RandomCase, topology: readonly GoldenNode[]): RandomCase {
  const read = new Set(topology.filter(({ op }) => op !== 'to').map(({ topic }) => topic))
  return { name, topology, input: input.filter((one) => 'wallClockMs' in one || read.has(one[0])) }
}

function resultsOf({ id, branches = [], default: fallback }: GoldenNode): string[] {
  return [id, ...branches.map((branch) => branch.id), fallback].flatMap((result) => result ?? [])
}
