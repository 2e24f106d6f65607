import type { FileSystem } from '../../environment/environment.ts'
import { EntryFile, type FileSum, fileMatches } from './entry-file.ts'
import { SegmentSuffix } from './file-names.ts'
import { OFFSET_INDEX_ENTRY_BYTES, OffsetIndex } from './offset-index.ts'
import type { SegmentSummary } from './summary.ts'
import { TIME_INDEX_ENTRY_BYTES, TimeIndex, type TimestampOffset } from './time-index.ts'
import { TRANSACTION_INDEX_ENTRY_BYTES, TransactionIndex } from './transaction-index.ts'

/** What the indexes note of a batch. */
export interface IndexedBatch {
  readonly position: number
  readonly sizeBytes: number
  readonly lastOffset: number
  readonly maxTimestampMs: number
}

/** The three indexes. */
export type IndexKind = 'offsets' | 'times' | 'transactions'

const EMPTY: FileSum = { sizeBytes: 0, crc: 0 }
const NO_TIMESTAMP: TimestampOffset = { timestampMs: -1, offset: -1 }

/** The three indexes of a segment. What they say can always be made again from the log. */
export class SegmentIndexes {
  readonly offsets: OffsetIndex
  readonly times: TimeIndex
  readonly transactions: TransactionIndex
  greatest: TimestampOffset
  /** Bytes of batches since the last entry of the offset index. */
  bytesSinceEntry: number
  readonly #files: FileSystem
  /** Sums that the files on disk were not held against yet. */
  readonly #unchecked = new Map<EntryFile, FileSum>()

  /** @param path the segment's path without an ending. */
  constructor(
    files: FileSystem,
    path: string,
    options: {
      readonly baseOffset: number
      readonly summary?: SegmentSummary | undefined
      readonly fileSuffix?: string | undefined
    }
  ) {
    const { baseOffset, summary, fileSuffix = '' } = options
    const file = (suffix: string, entryBytes: number, sum: FileSum = EMPTY) =>
      new EntryFile(files, path + suffix + fileSuffix, { entryBytes, sum })
    this.#files = files
    this.offsets = new OffsetIndex(
      file(SegmentSuffix.offsetIndex, OFFSET_INDEX_ENTRY_BYTES, summary?.offsetIndex),
      baseOffset
    )
    this.times = new TimeIndex(file(SegmentSuffix.timeIndex, TIME_INDEX_ENTRY_BYTES, summary?.timeIndex), baseOffset)
    this.transactions = new TransactionIndex(
      file(SegmentSuffix.transactionIndex, TRANSACTION_INDEX_ENTRY_BYTES, summary?.transactionIndex)
    )
    this.greatest = summary?.greatest ?? NO_TIMESTAMP
    this.bytesSinceEntry = summary?.bytesSinceIndexEntry ?? 0
    if (summary !== undefined) for (const entries of this.#all()) this.#unchecked.set(entries, entries.sum)
  }

  /** Takes in the next batch of the log. */
  note(batch: IndexedBatch, indexIntervalBytes: number): void {
    if (batch.maxTimestampMs > this.greatest.timestampMs) {
      this.greatest = { timestampMs: batch.maxTimestampMs, offset: batch.lastOffset }
    }
    if (this.bytesSinceEntry > indexIntervalBytes) {
      this.offsets.append(batch.lastOffset, batch.position)
      this.times.maybeAppend(this.greatest)
      this.bytesSinceEntry = 0
    }
    this.bytesSinceEntry += batch.sizeBytes
  }

  /** The file of one kind of index. */
  file(kind: IndexKind): EntryFile {
    return this[kind].file
  }

  /** Whether an index file is not what it was when the segment was last closed or synced. Looks once at each file. */
  takeMismatch(kind: IndexKind): boolean {
    const file = this.file(kind)
    const sum = this.#unchecked.get(file)
    if (sum === undefined) return false
    this.#unchecked.delete(file)
    return !fileMatches(this.#files, file.path, sum)
  }

  /** Forgets everything, to be made again from the log. */
  reset(): void {
    for (const file of this.#all()) file.reset()
    this.greatest = NO_TIMESTAMP
    this.bytesSinceEntry = 0
    this.#unchecked.clear()
  }

  /** Notes the greatest timestamp so far in the time index, as Kafka does when a segment ends or closes. */
  finish(): void {
    if (this.greatest.timestampMs >= 0) this.times.maybeAppend(this.greatest)
  }

  /** Writes all entries and cuts what lies behind them. */
  settle(): void {
    for (const file of this.#present()) file.settle()
  }

  /** Writes what gathered in memory once it is a block. */
  flushBlocks(): void {
    for (const file of this.#all()) if (file.wantsFlush) file.flush()
  }

  async datasync(): Promise<void> {
    for (const file of this.#present()) await file.datasync()
  }

  isFull(segmentIndexBytes: number): boolean {
    const room = (file: EntryFile) => Math.floor(segmentIndexBytes / file.entryBytes) - 1
    return this.offsets.file.count >= room(this.offsets.file) || this.times.file.count >= room(this.times.file)
  }

  close(): void {
    for (const file of this.#all()) file.close()
  }

  #all(): readonly EntryFile[] {
    return [this.offsets.file, this.times.file, this.transactions.file]
  }

  /** Those that are there on disk: the transaction index only when there is something in it. */
  #present(): readonly EntryFile[] {
    return this.#all().filter((file) => file !== this.transactions.file || file.count > 0)
  }
}
