import type { Clock, FileSystem } from '../environment/environment.ts'
import { FileSystemError, InvariantError } from '../errors.ts'
import { batchLastOffset, batchMaxTimestamp } from '../wire/batch/header.ts'
import type { LeaderEpochs } from './checkpoint/leader-epochs.ts'
import type { OnDamage } from './damage.ts'
import { AppendFailedError } from './errors.ts'
import type { LogConfig } from './log-config.ts'
import { type FoundNames, LogSync } from './log-sync.ts'
import type { CompletedTransaction } from './producer/open-transactions.ts'
import type { ProducerState } from './producer/producer-state.ts'
import { encodeSnapshot } from './producer/snapshot.ts'
import { rebuildIndexes } from './rebuild-indexes.ts'
import { Segment } from './segment/segment.ts'
import type { IndexKind } from './segment/segment-indexes.ts'
import type { AbortedSpan } from './segment/transaction-index.ts'

const MAX_RELATIVE_OFFSET = 0x7fff_ffff

/** Where a partition's log is and who hears of damage. */
export interface LogPlace {
  readonly files: FileSystem
  readonly clock: Clock
  /** The log directory; the partition's own is `<logDirectory>/<topic>-<partition>`. */
  readonly logDirectory: string
  readonly topic: string
  readonly partition: number
  /** Unpadded base64url uuid. */
  readonly topicId: string
  readonly onDamage: OnDamage
}

/** What was found on disk. */
export interface LoadedLog {
  readonly place: LogPlace
  readonly config: LogConfig
  readonly segments: Segment[]
  readonly producers: ProducerState
  readonly epochs: LeaderEpochs
  readonly logStartOffset: number
  readonly endOffset: number
  /** The directory and its first segment are made by the first append. */
  readonly found: FoundNames
}

/** Path of a partition's directory. */
export function partitionDirectory(place: Pick<LogPlace, 'logDirectory' | 'topic' | 'partition'>): string {
  return `${place.logDirectory}/${place.topic}-${place.partition}`
}

/**
 * The log of one partition as it lies in its directory: segments, producer state and leader epochs, all in step. It writes to
 * the page cache; {@link LogSync} takes that to the disk. Nothing here knows of the high watermark.
 */
export class PartitionLog {
  readonly place: LogPlace
  readonly directory: string
  config: LogConfig
  /** Rising base offsets; the last one is appended to. Empty until the first append. */
  readonly segments: Segment[]
  producers: ProducerState
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  logStartOffset: number
  endOffset: number

  constructor(loaded: LoadedLog) {
    this.place = loaded.place
    this.directory = partitionDirectory(loaded.place)
    this.config = loaded.config
    this.segments = loaded.segments
    this.producers = loaded.producers
    this.epochs = loaded.epochs
    this.logStartOffset = loaded.logStartOffset
    this.endOffset = loaded.endOffset
    this.sync = new LogSync(this, loaded.found)
  }

  /** The segment that is appended to. */
  get active(): Segment | undefined {
    return this.segments.at(-1)
  }

  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.log.sizeBytes, 0)
  }

  /** Sees to it that the active segment can take `batch`, stamped already: makes the first one, or rolls. */
  makeRoom(batch: Buffer): void {
    const { active } = this
    if (active === undefined || this.#mustRoll(active, batch)) this.roll()
  }

  /** Begins a new segment at the end of the log. */
  roll(): void {
    const { files, clock } = this.place
    const segment = new Segment(files, {
      directory: this.directory,
      baseOffset: this.endOffset,
      sizeBytes: 0,
      createdMs: clock.nowMs()
    })
    const makesDirectory = this.segments.length === 0
    try {
      if (makesDirectory) files.makeDirectory(this.directory)
      segment.log.handle.truncate(0)
    } catch (error) {
      if (error instanceof FileSystemError) throw new AppendFailedError(segment.log.path, error)
      throw error
    }
    const { active } = this
    active?.indexes.finish()
    if (active !== undefined) {
      this.sync.sealed(active, { offset: this.endOffset, content: encodeSnapshot(this.producers.entries()) })
    }
    this.segments.push(segment)
    this.sync.created(segment)
  }

  /**
   * Writes a stamped batch at the end of the active segment and advances the end of the log.
   * @throws AppendFailedError when the system refused; nothing changed.
   */
  write(batch: Buffer): void {
    const { active } = this
    if (active === undefined) throw new InvariantError(`No segment to write to in ${this.directory}`)
    active.append(batch, this.config.indexIntervalBytes)
    this.endOffset = active.nextOffset
    this.sync.changed()
  }

  /** Notes a transaction that its marker ended: only aborted ones are indexed. */
  indexTransaction(completed: CompletedTransaction): void {
    const lastStableOffset = this.producers.transactions.complete(completed)
    if (!completed.commit) this.active?.indexes.transactions.append({ ...completed, lastStableOffset })
  }

  /** The segment that may contain `offset`, its indexes checked; undefined when `offset` is below the first. */
  segmentAt(offset: number): Segment | undefined {
    const index = this.segmentIndexOf(offset)
    return index < 0 ? undefined : this.usable(index, 'offsets')
  }

  /** Index of the last segment whose base offset is at or below `offset`; -1 when there is none. */
  segmentIndexOf(offset: number): number {
    let low = 0
    let high = this.segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.segments[middle].baseOffset <= offset) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** The segment at `index`, after one of its index files was checked and, when it is damaged, made again from the log. */
  usable(index: number, kind: IndexKind): Segment {
    const segment = this.segments[index]
    if (segment.indexes.takeMismatch(kind)) rebuildIndexes(this, index, kind)
    return segment
  }

  /** Aborted transactions that overlap `[fromOffset, toOffset)`, by first offset. */
  abortedTransactions(fromOffset: number, toOffset: number): AbortedSpan[] {
    const found: AbortedSpan[] = []
    for (let index = Math.max(0, this.segmentIndexOf(fromOffset)); index < this.segments.length; index++) {
      // A marker may lie in a later segment than the read, so only the index itself says where to stop.
      if (this.segments[index].indexes.transactions.file.count === 0) continue
      if (this.usable(index, 'transactions').indexes.transactions.collect({ fromOffset, toOffset }, found)) break
    }
    return found.sort((a, b) => a.firstOffset - b.firstOffset)
  }

  #mustRoll(active: Segment, batch: Buffer): boolean {
    const { config } = this
    // Within a segment offsets have gaps only where something was taken out later: recovery relies on it.
    if (active.nextOffset !== this.endOffset) return true
    if (active.log.sizeBytes === 0) return false
    if (active.log.sizeBytes + batch.length > config.segmentBytes) return true
    if (batchLastOffset(batch) - active.baseOffset > MAX_RELATIVE_OFFSET) return true
    if (active.indexes.isFull(config.segmentIndexBytes)) return true
    const timestampMs = batchMaxTimestamp(batch)
    const dated = active.firstTimestampMs >= 0 && timestampMs >= 0
    const ageMs = dated ? timestampMs - active.firstTimestampMs : this.place.clock.nowMs() - active.createdMs
    // What may not wait longer to be compacted must leave the active segment.
    return ageMs > (config.compacts ? Math.min(config.segmentMs, config.maxCompactionLagMs) : config.segmentMs)
  }
}
