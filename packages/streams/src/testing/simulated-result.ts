import type { Header } from '../graph/record.ts'
import type { StoreEntry } from '../query/queryable-store.ts'

/** A record that a simulated topology wrote and committed. */
export interface SimulatedRecord<K, V> {
  readonly key: K | null
  readonly value: V | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: readonly Header[]
  readonly partition: number
  readonly offset: number
}

/** What happened, in figures: they say whether a run was worth something. */
export interface SimulatedCounts {
  readonly crashes: number
  readonly rebalances: number
  readonly logCrashes: number
  readonly disconnects: number
  readonly slowDisks: number
  /** Requests that got lost, or their answers, or that arrived twice. */
  readonly disturbedRequests: number
  readonly commits: number
  readonly virtualMs: number
}

/** How a simulated run ended: with everything processed and committed, all instances up and nothing left to do. */
export interface SimulatedResult {
  readonly seed: number
  /** The rows of a store that has a name, over all instances: by window, then by the key's bytes. */
  table<K = unknown, V = unknown>(store: string): readonly StoreEntry<K, V>[]
  /** What was committed to a topic that the topology writes: partition by partition, in the order of the log. */
  output<K = unknown, V = unknown>(topic: string): readonly SimulatedRecord<K, V>[]
  /** The last record of each key of a topic. */
  latest<K = unknown, V = unknown>(topic: string): readonly SimulatedRecord<K, V>[]
  /** What happened, one line each. */
  readonly trace: readonly string[]
  /** Equal exactly when two runs took the same course. */
  readonly traceHash: string
  readonly counts: SimulatedCounts
}
