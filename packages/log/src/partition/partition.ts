import type { LogCleaner } from '../storage/cleaner/log-cleaner.ts'
import type { LogConfig } from '../storage/log-config.ts'
import type { BatchRead, ReadRequest } from '../storage/read.ts'

/**
 * One partition led by this broker. Appends are synchronous; what they wrote becomes visible when the high watermark passes
 * it, and the high watermark never passes the synced end of the log (unless `fsync` is `os`).
 */
export interface Partition {
  readonly topic: string
  readonly index: number
  readonly leaderEpoch: number
  /** First offset that still exists. */
  readonly logStartOffset: number
  /** Offset that the next record will get. */
  readonly logEndOffset: number
  /** All below it is synced (and, with replicas, replicated). */
  readonly highWatermark: number
  /** All below it is decided: no open transaction starts before it. Never above the high watermark. */
  readonly lastStableOffset: number
  /** The topic's configuration. */
  readonly config: LogConfig
  /** Compacts the log. */
  readonly cleaner: LogCleaner

  /**
   * Appends one record batch and gives its bytes away. A duplicate of one of the last five batches of its producer is answered with
   * the original offsets and not written.
   * @throws ProtocolError with Kafka's code: CORRUPT_MESSAGE, OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH ...
   */
  append(batch: Buffer, origin: AppendOrigin): AppendedBatch
  /** Appends a transaction's end marker. Without an open transaction it is still written and changes nothing. */
  appendMarker(marker: TransactionMarker): AppendedBatch
  /** Resolves when the high watermark is above `offset`; rejects with the log directory's error or when the partition closes. */
  whenCommitted(offset: number): Promise<void>
  /** Called after the high watermark or the last stable offset moved; returns the function that stops it. */
  onAdvance(advanced: () => void): () => void

  read(request: ReadRequest): BatchRead
  /** First offset whose record is at or after the timestamp, below the bound of `isolation`; undefined when there is none. */
  offsetForTimestamp(timestampMs: number, isolation: Isolation): { offset: number; timestampMs: number } | undefined
  /** First record with the greatest timestamp below the bound of `isolation` (KIP-734); undefined when there is none. */
  maxTimestamp(isolation: Isolation): { offset: number; timestampMs: number } | undefined
  /** End of the largest epoch at or below `epoch` (KIP-101). */
  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number }
  /** Whether the partition knows an open transaction of this producer in this epoch (KIP-890 verification). */
  hasOpenTransaction(producerId: number, producerEpoch: number): boolean
  /** Moves the log start; whole segments below it are deleted. -1 means the high watermark. Resolves with the new start. */
  deleteRecords(beforeOffset: number): Promise<number>
  /** Deletes whole segments that retention allows to go. Returns how many. */
  applyRetention(nowMs: number): number
  close(): Promise<void>
}

/** Who appends: a client's batch is checked as Kafka checks it; a coordinator's is trusted to be well formed. */
export type AppendOrigin = 'client' | 'coordinator'
/** Kafka's isolation levels. */
export type Isolation = 'read_uncommitted' | 'read_committed'

/** Where a batch landed. */
export interface AppendedBatch {
  readonly baseOffset: number
  readonly lastOffset: number
  /** Milliseconds since the epoch; -1 with create time. */
  readonly logAppendTimeMs: number
  readonly duplicate: boolean
}

/** The end of a transaction in one partition. */
export interface TransactionMarker {
  readonly producerId: number
  readonly producerEpoch: number
  readonly coordinatorEpoch: number
  readonly commit: boolean
  readonly timestampMs: number
}
