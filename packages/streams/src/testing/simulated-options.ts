import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import type { Header } from '../graph/record.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import type { SimulatedFaults } from './simulated-faults.ts'
import type { SimulatedResult } from './simulated-result.ts'
import type { TopicSerdes } from './topic-serdes.ts'

/** A record to feed. Key and value are written with the serdes of the source that reads the topic, unless others are given. */
export interface SimulatedInput {
  readonly topic: string
  readonly key: unknown
  readonly value: unknown
  /** Event time, milliseconds since the epoch; default: the simulated time of day. */
  readonly timestamp?: number
  readonly headers?: readonly Header[]
  /** Default: by the key, as Kafka's producers have it; 0 without a key. */
  readonly partition?: number
}

/** How to simulate a topology. */
export interface SimulateOptions {
  /** Records, in the order in which they are produced; in a partition they keep it. */
  readonly input: readonly SimulatedInput[]
  /** Decides everything that is left to chance. The same seed, topology and input: the same run. Default 1. */
  readonly seed?: number
  /** Instances of the application, each on a machine of its own. Default 3. */
  readonly instances?: number
  /** Of every topic that the topology reads or writes. Default 3. */
  readonly partitions?: number
  /** What befalls them: the usual (default, true), nothing (false), or as given and for the rest the usual. */
  readonly faults?: boolean | SimulatedFaults
  /** Serdes of topics where the topology does not say: those that a function names, dead letters. They are made, and may be read in the end. */
  readonly topics?: Readonly<Record<string, TopicSerdes<unknown, unknown>>>
  /** As `runStreams` takes it. Default 20 ms. */
  readonly commitInterval?: Duration
  /** As `runStreams` takes them. */
  readonly errors?: ErrorPolicies
  /** The time of day when the simulation begins, milliseconds since the epoch. Default 2026-01-01. */
  readonly nowMs?: number
  /** What has to hold in the end; what it throws fails the run. */
  readonly expect?: (result: SimulatedResult) => void | Promise<void>
}

/** Refuses what could not be run. @throws UsageError, DurationError */
export function checkSimulateOptions({ input, ...options }: SimulateOptions): void {
  const { seed = 1, instances = 3, partitions = 3, faults, commitInterval } = options
  if (!Number.isSafeInteger(seed)) throw refusal('seed', seed, 'a whole number')
  const most = { instances, partitions }
  for (const [option, count] of Object.entries(most)) {
    if (!(Number.isSafeInteger(count) && count > 0)) throw refusal(option, count, 'a whole number from 1 up')
  }
  if (typeof faults === 'object') checkFaults(faults)
  if (commitInterval !== undefined) durationMs('commitInterval', commitInterval, { leastMs: 1 })
  for (const [index, { partition }] of input.entries()) {
    if (partition === undefined || (Number.isSafeInteger(partition) && partition >= 0 && partition < partitions))
      continue
    throw refusal(`input[${index}].partition`, partition, `one of ${partitions}, from 0 up`)
  }
}

function checkFaults({ lostRequests, lostAnswers, duplicates, ...counts }: SimulatedFaults): void {
  for (const [fault, count = 0] of Object.entries<number | undefined>(counts)) {
    if (!(Number.isSafeInteger(count) && count >= 0)) throw refusal(`faults.${fault}`, count, 'a whole number')
  }
  for (const [fault, share = 0] of Object.entries({ lostRequests, lostAnswers, duplicates })) {
    if (!(share >= 0 && share < 1)) throw refusal(`faults.${fault}`, share, 'a share from 0 to below 1')
  }
}

function refusal(option: string, value: number, needed: string): UsageError {
  return new UsageError(`simulate: ${option} is ${value}: give ${needed}`)
}
