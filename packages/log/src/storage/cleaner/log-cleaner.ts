import type { Clock, Timers } from '../../environment/environment.ts'
import type { PartitionLog } from '../partition-log.ts'
import { type CompactionCounts, compactSegments } from './compact-segments.ts'
import { type CompactionBacklog, compactionBacklog } from './compaction-backlog.ts'
import { CompactionInterrupted, UncleanableError } from './errors.ts'
import { findNewestOffsets, type NewestOffsets } from './newest-offsets.ts'
import type { Pace } from './pace.ts'
import { PassedTransactions } from './passed-transactions.ts'

/** What compaction needs of a partition. */
export interface LogCleanerOptions {
  readonly log: PartitionLog
  readonly clock: Clock
  readonly timers: Timers
  readonly lastStableOffset: () => number
  /** Called when old batches were replaced: what was kept of them in memory must not be shown any more. */
  readonly replaced: () => void
}

/** How one run may go. */
export interface CleanOptions {
  readonly pace: Pick<Pace, 'rest'>
  /** Memory for the keys of one pass; when it is used up there are several. */
  readonly keyMapBytes: number
}

/** What one run over a partition did. */
export interface CleanReport {
  readonly topic: string
  readonly partition: number
  readonly startedMs: number
  readonly durationMs: number
  /** How often the log was gone through; more than once when the keys did not fit into memory. */
  readonly rounds: number
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly recordsRead: number
  readonly recordsKept: number
  /** All records below are compacted now. */
  readonly cleanedTo: number
  /** Whether it was told to end, or the log changed under it, before all was done. */
  readonly interrupted: boolean
}

/**
 * Compacts one partition's log: of each key only the last record stays, by the rules of Kafka's log cleaner. One run at a time; it works in
 * slices between which everybody else gets their turn, and never touches the segment that is appended to.
 */
export class LogCleaner {
  /** Why the partition is not compacted any more; undefined while it is. */
  uncleanable: UncleanableError | undefined
  lastRun: CleanReport | undefined
  readonly #options: LogCleanerOptions
  #running: Promise<CleanReport> | undefined
  #stopping = false
  #deleteHorizonMs: number | undefined

  constructor(options: LogCleanerOptions) {
    this.#options = options
  }

  /** All records below this offset are compacted. */
  get cleanedTo(): number {
    return this.#options.log.segments.reduce((max, segment) => Math.max(max, segment.cleanedTo), 0)
  }

  /** What waits. */
  backlog(): CompactionBacklog {
    const { log, clock, lastStableOffset } = this.#options
    const segments = log.segments.map((segment, index) => ({
      baseOffset: segment.baseOffset,
      endOffset: log.segments[index + 1]?.baseOffset ?? log.endOffset,
      sizeBytes: segment.log.sizeBytes,
      firstTimestampMs: segment.firstTimestampMs,
      largestTimestampMs: segment.largestTimestampMs,
      settled: log.sync.isSettled(segment)
    }))
    return compactionBacklog(segments, log.config, {
      nowMs: clock.nowMs(),
      lastStableOffset: lastStableOffset(),
      cleanedTo: this.cleanedTo,
      deleteHorizonMs: this.#deleteHorizonMs
    })
  }

  /**
   * Compacts all that may be compacted now.
   * @throws UncleanableError when a batch cannot be decoded: then the partition keeps what it has and is not compacted before the next start
   * @throws FileSystemError, AppendFailedError when the disk is full or broken: nothing is lost, and the next run begins again
   */
  clean(options: CleanOptions): Promise<CleanReport> {
    this.#running ??= this.#clean(options).finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Ends a run at its next slice; resolves when nothing works on the partition any more. There is no other run. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running?.catch(() => undefined)
  }

  async #clean(options: CleanOptions): Promise<CleanReport> {
    const { log, clock } = this.#options
    const startedMs = clock.nowMs()
    const total = { rounds: 0, bytesRead: 0, bytesWritten: 0, recordsRead: 0, recordsKept: 0 }
    let interrupted = false
    try {
      for (let complete = false; !complete; total.rounds += 1) {
        const { boundOffset, firstDirtyOffset } = this.backlog()
        if (boundOffset <= (log.segments[0]?.baseOffset ?? boundOffset)) break
        const { newest, counts } = await this.#round(options, { firstDirtyOffset, boundOffset })
        total.bytesRead += counts.bytesRead
        total.bytesWritten += counts.bytesWritten
        total.recordsRead += counts.recordsRead
        total.recordsKept = counts.recordsKept
        this.#deleteHorizonMs = counts.deleteHorizonMs
        complete = newest.endOffset >= boundOffset
      }
    } catch (error) {
      if (error instanceof UncleanableError) this.uncleanable = error
      if (!(error instanceof CompactionInterrupted)) throw error
      interrupted = true
    }
    const { topic, partition } = log.place
    const durationMs = clock.nowMs() - startedMs
    this.lastRun = { topic, partition, startedMs, durationMs, ...total, cleanedTo: this.cleanedTo, interrupted }
    return this.lastRun
  }

  /** Once through the log, as far as the keys of what is new fit into memory. */
  async #round(
    options: CleanOptions,
    range: { readonly firstDirtyOffset: number; readonly boundOffset: number }
  ): Promise<{ readonly newest: NewestOffsets; readonly counts: CompactionCounts }> {
    const { log, clock, timers, replaced } = this.#options
    const rest = async (sliceBytes: number) => {
      await options.pace.rest(sliceBytes)
      if (this.#stopping) throw new CompactionInterrupted()
    }
    if (this.#stopping) throw new CompactionInterrupted()
    const nowMs = clock.nowMs()
    const producers = new Map([...log.producers.entries()].map((entry) => [entry.producerId, { ...entry }]))
    const aborted = log.abortedTransactions(log.segments[0].baseOffset, range.boundOffset)
    const newest = await findNewestOffsets({
      log,
      rest,
      fromOffset: range.firstDirtyOffset,
      boundOffset: range.boundOffset,
      transactions: new PassedTransactions(aborted),
      keyMapBytes: options.keyMapBytes
    })
    const counts = await compactSegments({
      log,
      rest,
      timers,
      inputs: log.segments.filter((segment) => segment.baseOffset < newest.endOffset),
      newest,
      transactions: new PassedTransactions(aborted),
      producers,
      nowMs,
      cleanedTo: this.cleanedTo,
      replaced
    })
    return { newest, counts }
  }
}
