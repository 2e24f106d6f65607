import type { Log, OpenLogOptions } from '@millrace/log'
import type { Duration } from '../graph/duration.ts'
import type { Topology } from '../graph/topology.ts'
import type { Trace } from '../observe/trace.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import type { RecoverableError } from '../task/recovery.ts'
import type { EngineFactory } from './task-opener.ts'

/** How to run a topology. */
export interface RunOptions {
  /** Where the topics are: a URL (`file:./data`, `memory:`, `kafka://…`), options to open a log with, or an open log, which stays the caller's. */
  readonly log: string | OpenLogOptions | Log
  /** Worker threads. Only 1 for now: the topology runs in the calling thread. */
  readonly threads?: 1
  /** Time between commits; a commit is also what publishes results. Default 100 ms. */
  readonly commitInterval?: Duration
  /** How long the group waits for an instance that is gone before others take its tasks over (Kafka's `session.timeout.ms`). Default 45 s, at least 6 s. */
  readonly sessionTimeout?: Duration
  /** What becomes of records that cannot be read or processed. Default: the application fails at its last commit, and nothing is lost. */
  readonly errors?: ErrorPolicies
  /** Hears of every record that a policy let go. */
  readonly onSkipped?: (error: RecoverableError) => void
  /**
   * Where stores are kept on disk. Default: beside a `file:` log's topics, `./millrace-state` for a remote log; stores of a `memory:` log are in
   * memory.
   */
  readonly stateDirectory?: string
  /** The stores' engine. Default: classic-level, or memory for a `memory:` log. */
  readonly engine?: EngineFactory
  /**
   * Creates topics that the topology reads or writes and that do not exist, with this many partitions and these configurations. Default: one
   * partition on an embedded log; on a remote one they must exist.
   */
  readonly createTopics?: false | { readonly partitions?: number; readonly configs?: Readonly<Record<string, string>> }
  /** Added to the configurations of internal topics (Kafka Streams' `topic.` prefix), e.g. `{ 'retention.ms': '-1' }` to replay old events. */
  readonly internalTopicConfigs?: Readonly<Record<string, string>>
  /** Time between two looks for new topics that streams read by pattern (Kafka's `metadata.max.age.ms`). Default 5 minutes. */
  readonly topicRefreshInterval?: Duration
  /** Least time between two purges of what was consumed of the repartition topics (Kafka Streams' `repartition.purge.interval.ms`). Default 30 s. */
  readonly repartitionPurgeInterval?: Duration
  /** Changes that wait for the commit are kept in memory; this many bytes force one. Default 64 MiB. */
  readonly maxBufferedBytes?: number
  /** Development: freezes every value before a callback gets it, so that a mutation throws where it happens. Default false. */
  readonly freezeValues?: boolean
  /** Hears of every step of start, commit and abort, synchronously. */
  readonly trace?: Trace
}

/** What an application is started with. */
export interface AppStart {
  readonly topology: Topology
  readonly log: Log
  readonly options: RunOptions
  readonly commitIntervalMs: number
  /** Whether the log was opened for this application, and ends with it. */
  readonly ownsLog: boolean
}
