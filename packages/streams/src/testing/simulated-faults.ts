import type { FaultPlan, SeededRandom } from '@millrace/log/testing'

/** What befalls a simulated run. Counts are over the whole run; shares are of all requests between an instance and the log. */
export interface SimulatedFaults {
  /** Instances that are killed or lose power, at any moment or at a step of a commit, and come back later. Default 2. */
  readonly crashes?: number
  /** Instances that leave the group in order and come back later. Default 1. */
  readonly rebalances?: number
  /** Times that the log's machine is killed or loses power, and comes back later. Default 0. */
  readonly logCrashes?: number
  /** Times that an instance cannot reach the log, for up to half a minute: long enough that the group may give its tasks to others. Default 1. */
  readonly disconnects?: number
  /** Times that a disk takes its time for a while, the log's or an instance's. Default 1. */
  readonly slowDisks?: number
  /** Share of the requests that never arrive. Default 0.03. */
  readonly lostRequests?: number
  /** Share of the requests that are carried out, though the instance hears that the connection was lost, and tries again. Default 0.03. */
  readonly lostAnswers?: number
  /** Share of the produce requests that arrive twice. Default 0.05. */
  readonly duplicates?: number
}

/** All of {@link SimulatedFaults}. */
export type CompleteFaults = Required<SimulatedFaults>

const NONE: CompleteFaults = {
  crashes: 0,
  rebalances: 0,
  logCrashes: 0,
  disconnects: 0,
  slowDisks: 0,
  lostRequests: 0,
  lostAnswers: 0,
  duplicates: 0
}

const USUAL: CompleteFaults = {
  crashes: 2,
  rebalances: 1,
  logCrashes: 0,
  disconnects: 1,
  slowDisks: 1,
  lostRequests: 0.03,
  lostAnswers: 0.03,
  duplicates: 0.05
}

/** Fills in what is usual; false is for none at all. */
export function completeFaults(faults: boolean | SimulatedFaults): CompleteFaults {
  if (faults === false) return NONE
  return faults === true ? USUAL : { ...USUAL, ...faults }
}

/** Kinds of things that happen once. */
export type BlowKind = 'crash' | 'rebalance' | 'log crash' | 'disconnect' | 'slow disk'

/** Something that happens once, while records come in. */
export interface Blow {
  readonly kind: BlowKind
  /** How many records were fed before. */
  readonly afterRecords: number
  readonly instance: number
}

/** What happens when: in the order of time. */
export function planBlows(
  faults: CompleteFaults,
  scene: { readonly random: SeededRandom; readonly records: number; readonly instances: number }
): readonly Blow[] {
  const counts: readonly (readonly [BlowKind, number])[] = [
    ['crash', faults.crashes],
    ['rebalance', faults.rebalances],
    ['log crash', faults.logCrashes],
    ['disconnect', faults.disconnects],
    ['slow disk', faults.slowDisks]
  ]
  const { random, records, instances } = scene
  const blows = counts.flatMap(([kind, count]) =>
    Array.from({ length: count }, () => ({
      kind,
      afterRecords: random.below(records + 1),
      instance: random.below(instances)
    }))
  )
  return blows.sort((one, other) => one.afterRecords - other.afterRecords)
}

/** Decides the fate of each request of an instance. */
export function requestFaults(faults: CompleteFaults, random: SeededRandom): FaultPlan {
  const { lostRequests, lostAnswers, duplicates } = faults
  return (api) => {
    if (random.chance(lostRequests)) return 'lose-request'
    if (random.chance(lostAnswers)) return 'lose-answer'
    return api.name === 'Produce' && random.chance(duplicates) ? 'duplicate' : undefined
  }
}
