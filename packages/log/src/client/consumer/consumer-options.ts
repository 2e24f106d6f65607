import { UsageError } from '../../errors.ts'
import type { RecordBatch } from '../../wire/batch/record-batch.ts'
import type { IsolationLevel } from '../list-offsets.ts'

/** Where reading begins in a partition without a (valid) position: its first offset, its end, or nowhere: the caller decides. */
export type OffsetReset = 'earliest' | 'latest' | 'none'

/** Options of a consumer. */
export interface ConsumerOptions {
  /** The group whose positions are read and committed, and which `subscribe` joins. */
  readonly groupId?: string
  /** Makes the member static (KIP-345): closing and coming back within the session timeout causes no rebalance. */
  readonly groupInstanceId?: string
  /** Default `read_committed`: records of open and aborted transactions are not seen. */
  readonly isolation?: IsolationLevel
  /** Default `earliest`. */
  readonly offsetReset?: OffsetReset
  /** How long the group waits for a member that does not send heartbeats. Default 45,000. */
  readonly sessionTimeoutMs?: number
  /** Default 3,000. */
  readonly heartbeatIntervalMs?: number
  /** How long the group waits for a member to give up its partitions and join again. Default `maxPollIntervalMs`. */
  readonly rebalanceTimeoutMs?: number
  /** Longest time between two polls; a member that exceeds it leaves the group. Default 300,000. */
  readonly maxPollIntervalMs?: number
  /** A broker answers a fetch once it has this much, default 1 byte, */
  readonly fetchMinBytes?: number
  /** or after this long, default 500. */
  readonly fetchMaxWaitMs?: number
  /** Most bytes of one partition in one fetch; a larger batch still comes whole. Default 1 MiB. */
  readonly partitionMaxBytes?: number
  /** Most bytes of one fetch, and of what is fetched ahead. Default 8 MiB. */
  readonly fetchMaxBytes?: number
  /** How long one call may try before it gives up. Default 60,000. */
  readonly requestTimeoutMs?: number
  /** Whether batches' checksums are verified. Default true. */
  readonly checkCrcs?: boolean
}

/** One partition's part of what `poll` returns. */
export interface FetchedPartition {
  readonly topic: string
  readonly partition: number
  /** Id of the topic that was read, which one made anew under its name does not share; absent where brokers have no ids. */
  readonly topicId?: string | undefined
  /**
   * Data batches in order; markers and, under `read_committed`, aborted ones are left out. Empty when only such were met. The first may begin
   * before `position`: skip its records below it. Read-only, and perhaps shared with other readers.
   */
  readonly batches: readonly RecordBatch[]
  /** The offset that was asked for. */
  readonly position: number
  /** Where reading goes on: after the last batch, markers and gaps included. Now the consumer's position. */
  readonly nextOffset: number
  readonly highWatermark: number
  /** Equal to the high watermark when no transaction is open. */
  readonly lastStableOffset: number
}

/** All options, defaults filled in. */
export type ConsumerConfig = Required<Omit<ConsumerOptions, 'groupId' | 'groupInstanceId'>> & {
  readonly groupId: string | undefined
  readonly groupInstanceId: string | undefined
}

const mebibyte = 1024 * 1024

/** Fills in defaults. @throws UsageError for an option out of range, naming it. */
export function consumerConfig(options: ConsumerOptions): ConsumerConfig {
  const maxPollIntervalMs = options.maxPollIntervalMs ?? 300_000
  const config: ConsumerConfig = {
    isolation: 'read_committed',
    offsetReset: 'earliest',
    sessionTimeoutMs: 45_000,
    heartbeatIntervalMs: 3_000,
    rebalanceTimeoutMs: maxPollIntervalMs,
    maxPollIntervalMs,
    fetchMinBytes: 1,
    fetchMaxWaitMs: 500,
    partitionMaxBytes: mebibyte,
    fetchMaxBytes: 8 * mebibyte,
    requestTimeoutMs: 60_000,
    checkCrcs: true,
    ...options,
    groupId: options.groupId,
    groupInstanceId: options.groupInstanceId
  }
  demand(config.groupId !== '', 'groupId must not be empty')
  demand(config.groupInstanceId === undefined || config.groupId !== undefined, 'groupInstanceId needs a groupId')
  demand(config.heartbeatIntervalMs > 0, 'heartbeatIntervalMs must be positive')
  demand(config.heartbeatIntervalMs < config.sessionTimeoutMs, 'heartbeatIntervalMs must be below sessionTimeoutMs')
  demand(config.partitionMaxBytes > 0 && config.fetchMaxBytes > 0, 'fetch sizes must be positive')
  return config
}

function demand(holds: boolean, message: string): void {
  if (!holds) throw new UsageError(`consumer options: ${message}`)
}
