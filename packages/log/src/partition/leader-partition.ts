import type { Clock, Timers } from '../environment/environment.ts'
import { LogCleaner } from '../storage/cleaner/log-cleaner.ts'
import { deleteOldestSegments } from '../storage/delete-segments.ts'
import { findGreatestTimestamp, findTimestamp } from '../storage/find-timestamp.ts'
import type { LogConfig } from '../storage/log-config.ts'
import type { PartitionLog } from '../storage/partition-log.ts'
import { checkMarker } from '../storage/producer/sequence-rules.ts'
import type { BatchRead, ReadRequest } from '../storage/read.ts'
import { countDeletable } from '../storage/retention.ts'
import type { TimestampOffset } from '../storage/segment/time-index.ts'
import { encodeEndTransactionMarker } from '../wire/batch/control-batch.ts'
import { protocolError } from '../wire/errors.ts'
import { type AppendRequest, appendBatch } from './append.ts'
import type { CommitProgress } from './commit-progress.ts'
import type { AppendedBatch, AppendOrigin, Isolation, Partition, TransactionMarker } from './partition.ts'
import { readPartition } from './read-partition.ts'
import { TailCache, type TailCacheBudget } from './tail-cache.ts'

/** What a leader is made of. */
export interface LeaderPartitionOptions {
  readonly log: PartitionLog
  readonly leaderEpoch: number
  readonly progress: CommitProgress
  readonly clock: Clock
  readonly timers: Timers
  readonly tailBudget: TailCacheBudget
}

/** A partition led by this broker, without other replicas: what is synced is committed. */
export class LeaderPartition implements Partition {
  readonly topic: string
  readonly index: number
  readonly leaderEpoch: number
  readonly cleaner: LogCleaner
  readonly #log: PartitionLog
  readonly #progress: CommitProgress
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #tail: TailCache

  constructor(options: LeaderPartitionOptions) {
    this.topic = options.log.place.topic
    this.index = options.log.place.partition
    this.leaderEpoch = options.leaderEpoch
    this.#log = options.log
    this.#progress = options.progress
    this.#clock = options.clock
    this.#timers = options.timers
    this.#tail = new TailCache(options.tailBudget)
    this.#log.epochs.assign(options.leaderEpoch, options.log.endOffset)
    this.cleaner = new LogCleaner({
      log: options.log,
      clock: options.clock,
      timers: options.timers,
      lastStableOffset: () => this.lastStableOffset,
      replaced: () => this.#tail.clear()
    })
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset
  }

  get logEndOffset(): number {
    return this.#log.endOffset
  }

  get highWatermark(): number {
    return this.#progress.highWatermark
  }

  get lastStableOffset(): number {
    return this.#progress.lastStableOffset
  }

  /** Bytes of all segments. */
  get sizeBytes(): number {
    return this.#log.sizeBytes
  }

  /** The topic's configuration; a new one holds from the next append and the next retention on. */
  get config(): LogConfig {
    return this.#log.config
  }

  set config(config: LogConfig) {
    this.#log.config = config
  }

  append(batch: Buffer, origin: AppendOrigin): AppendedBatch {
    return this.#append({ batch, origin })
  }

  appendMarker(marker: TransactionMarker): AppendedBatch {
    const at = { topic: this.topic, partition: this.index }
    checkMarker(this.#log.producers.entry(marker.producerId), marker, at)
    return this.#append({ batch: encodeEndTransactionMarker(marker, marker), origin: 'marker' })
  }

  whenCommitted(offset: number): Promise<void> {
    return this.#progress.whenCommitted(offset)
  }

  onAdvance(advanced: () => void): () => void {
    return this.#progress.onAdvance(advanced)
  }

  read(request: ReadRequest): BatchRead {
    return readPartition({ log: this.#log, progress: this.#progress, tail: this.#tail }, request)
  }

  offsetForTimestamp(timestampMs: number, isolation: Isolation): TimestampOffset | undefined {
    return findTimestamp(this.#log, timestampMs, this.#bound(isolation))
  }

  maxTimestamp(isolation: Isolation): TimestampOffset | undefined {
    return findGreatestTimestamp(this.#log, this.#bound(isolation))
  }

  endOffsetForEpoch(epoch: number): { epoch: number; endOffset: number } {
    return this.#log.epochs.endOffsetFor(epoch, this.#log.endOffset)
  }

  hasOpenTransaction(producerId: number, producerEpoch: number): boolean {
    const entry = this.#log.producers.entry(producerId)
    return entry !== undefined && entry.epoch === producerEpoch && entry.transactionFirstOffset >= 0
  }

  async deleteRecords(beforeOffset: number): Promise<number> {
    const log = this.#log
    const offset = beforeOffset === -1 ? this.highWatermark : beforeOffset
    if (offset < 0 || offset > this.highWatermark) {
      const message = `records can be deleted up to the high watermark ${this.highWatermark}`
      throw protocolError('OFFSET_OUT_OF_RANGE', { topic: this.topic, partition: this.index, offset, message })
    }
    if (offset > log.logStartOffset) {
      log.logStartOffset = offset
      log.epochs.truncateFromStart(offset)
      log.sync.changed()
      this.#deleteOldest(this.#clock.nowMs())
      await this.#progress.checkpoint()
    }
    return log.logStartOffset
  }

  applyRetention(nowMs: number): number {
    if (this.#progress.refusal !== undefined) return 0
    this.#log.producers.expire(nowMs)
    return this.#deleteOldest(nowMs)
  }

  async close(): Promise<void> {
    await this.cleaner.stop()
    try {
      await this.#progress.close()
    } finally {
      this.#tail.clear()
      for (const segment of this.#log.segments) segment.close()
    }
  }

  #bound(isolation: Isolation): number {
    return isolation === 'read_committed' ? this.lastStableOffset : this.highWatermark
  }

  #append(request: AppendRequest): AppendedBatch {
    const { refusal } = this.#progress
    if (refusal !== undefined) throw refusal
    return appendBatch(
      {
        log: this.#log,
        leaderEpoch: this.leaderEpoch,
        destination: {
          topic: this.topic,
          partition: this.index,
          config: this.#log.config,
          nowMs: this.#clock.nowMs()
        },
        appended: (batch) => {
          this.#tail.add(batch)
          this.#progress.appended()
        }
      },
      request
    )
  }

  /** Deletes what retention lets go; the last segment only after a new one was begun. */
  #deleteOldest(nowMs: number): number {
    const log = this.#log
    const segments = log.segments.map((segment, index) => ({
      sizeBytes: segment.log.sizeBytes,
      endOffset: log.segments[index + 1]?.baseOffset ?? log.endOffset,
      largestTimestampMs: segment.largestTimestampMs
    }))
    const bounds = { nowMs, logStartOffset: log.logStartOffset, highWatermark: this.highWatermark }
    let count = countDeletable(segments, log.config, bounds)
    if (count > 0 && count === segments.length) {
      if (segments[count - 1].sizeBytes > 0) log.roll()
      else count -= 1
    }
    if (count > 0) deleteOldestSegments(log, count, this.#timers)
    return count
  }
}
