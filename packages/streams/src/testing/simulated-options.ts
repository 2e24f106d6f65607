import type { Duration } from '../graph/duration.ts'
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
  /** Serdes of topics where the topology does not say. */
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
