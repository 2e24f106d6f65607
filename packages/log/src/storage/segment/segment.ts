import type { FileSystem } from '../../environment/environment.ts'
import {
  BATCH_HEADER_BYTES,
  batchBaseOffset,
  batchLastOffset,
  batchMaxTimestamp,
  batchRecordCount,
  batchSizeBytes
} from '../../wire/batch/header.ts'
import { headerProblem, unknownEpoch } from './batch-check.ts'
import { offsetName, SegmentSuffix } from './file-names.ts'
import { FileWindow } from './file-window.ts'
import { LogFile } from './log-file.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import type { SegmentSummary } from './summary.ts'

/** The part of a summary that the segment itself knows. */
export type SegmentFacts = Omit<SegmentSummary, 'topicId' | 'logStartOffset' | 'epochs'>

/** How a segment is opened. */
export interface SegmentOptions {
  readonly directory: string
  readonly baseOffset: number
  readonly sizeBytes: number
  /** When it was made, for rolling by age where batches have no timestamp. */
  readonly createdMs: number
  /** What is certain about it. */
  readonly summary?: SegmentSummary | undefined
  /** Added to the names of its log and indexes while it is being written to replace others. */
  readonly fileSuffix?: string | undefined
}

/** What to read of a segment. */
export interface SegmentRead {
  readonly offset: number
  readonly maxBytes: number
  readonly endOffset: number
  /** Leader epoch of an offset, where it is known. */
  readonly epochAt: (offset: number) => number | undefined
}

const NEXT_POSITIONS = 8
const SEARCH_WINDOW_BYTES = 16 * 1024
const NO_BOUND = Number.POSITIVE_INFINITY

/** One segment of a partition's log: consecutive offsets in a log file, with its indexes. */
export class Segment {
  readonly baseOffset: number
  /** Path of its files without an ending. */
  readonly path: string
  readonly log: LogFile
  readonly indexes: SegmentIndexes
  readonly createdMs: number
  /** Offset after its last record. */
  nextOffset: number
  /** How many offsets its batches span together; fewer than the segment's where there are gaps. */
  coveredOffsets: number
  /** Timestamp of the first batch; -1 before there is one. */
  firstTimestampMs: number
  /** All records of the partition below this offset were compacted when this segment was written; whoever cuts the log must lower it. */
  readonly cleanedTo: number
  /** Its files were given up. */
  deleted = false
  /** A reader met bad bytes, and a note about it was left for the next start. */
  damaged = false
  /** Where recent reads ended, so that reading on needs no search: offset -> position. */
  readonly #nextPositions = new Map<number, number>()

  constructor(files: FileSystem, options: SegmentOptions) {
    const { baseOffset, summary, fileSuffix = '' } = options
    this.baseOffset = baseOffset
    this.path = `${options.directory}/${offsetName(baseOffset)}`
    this.log = new LogFile(files, this.path + SegmentSuffix.log + fileSuffix, options.sizeBytes)
    this.indexes = new SegmentIndexes(files, this.path, { baseOffset, summary, fileSuffix })
    this.createdMs = summary?.createdMs ?? options.createdMs
    this.nextOffset = summary?.nextOffset ?? baseOffset
    this.coveredOffsets = summary?.coveredOffsets ?? 0
    this.firstTimestampMs = summary?.firstTimestampMs ?? -1
    this.cleanedTo = summary?.cleanedTo ?? 0
  }

  get summaryPath(): string {
    return this.path + SegmentSuffix.summary
  }

  /** Whether every batch begins where the one before it ends. */
  get dense(): boolean {
    return this.coveredOffsets === this.nextOffset - this.baseOffset
  }

  /** Timestamp that retention goes by: the greatest record timestamp, or when the segment was made. */
  get largestTimestampMs(): number {
    return this.indexes.greatest.timestampMs >= 0 ? this.indexes.greatest.timestampMs : this.createdMs
  }

  /** Writes a stamped batch at the end and notes it. */
  append(batch: Buffer, indexIntervalBytes: number): void {
    const position = this.log.sizeBytes
    this.log.append(batch)
    this.note(batch, { position, indexIntervalBytes })
  }

  /** Takes in a batch that stands at `position` of the log file; its header is enough. */
  note(batch: Buffer, at: { readonly position: number; readonly indexIntervalBytes: number }): void {
    const lastOffset = batchLastOffset(batch)
    // Compaction leaves a batch without records the timestamp of those it had.
    const maxTimestampMs = batchRecordCount(batch) === 0 ? -1 : batchMaxTimestamp(batch)
    const sizeBytes = batchSizeBytes(batch)
    this.indexes.note({ position: at.position, sizeBytes, lastOffset, maxTimestampMs }, at.indexIntervalBytes)
    if (this.firstTimestampMs < 0) this.firstTimestampMs = maxTimestampMs
    this.coveredOffsets += lastOffset - batchBaseOffset(batch) + 1
    this.nextOffset = lastOffset + 1
  }

  /** Forgets what batches told, to be read again from the start. */
  reset(): void {
    this.indexes.reset()
    this.nextOffset = this.baseOffset
    this.coveredOffsets = 0
    this.firstTimestampMs = -1
  }

  /** Whole batches from the one that contains `offset` (or the first after it) on, all below `endOffset`. */
  read(request: SegmentRead): Buffer {
    const { position, baseOffset } = this.#locate(request.offset)
    if (position >= this.log.sizeBytes) return Buffer.alloc(0)
    const { maxBytes, endOffset, epochAt } = request
    const bytes = this.log.read({ position, maxBytes, endOffset, epochAt, minOffset: baseOffset, exact: this.dense })
    if (bytes.length > 0) this.#rememberEnd(bytes, position + bytes.length)
    return bytes
  }

  /** Where the batch begins that contains `offset`, or the first after it; the end of the file when there is none. */
  #locate(offset: number): { readonly position: number; readonly baseOffset: number } {
    const known = this.#nextPositions.get(offset)
    if (known !== undefined) return { position: known, baseOffset: offset }
    if (offset <= this.baseOffset) return { position: 0, baseOffset: this.baseOffset }
    const window = new FileWindow(this.log.handle, this.log.sizeBytes, SEARCH_WINDOW_BYTES)
    let position = this.indexes.offsets.lookup(offset)
    let baseOffset = this.baseOffset
    // What the index points at has no neighbour that vouches for it, but the index itself was checked.
    let exact = position === 0 && this.dense
    while (position < this.log.sizeBytes) {
      const header = window.view(position, BATCH_HEADER_BYTES)
      const expected = { minOffset: baseOffset, exact, endOffset: NO_BOUND, epochAt: unknownEpoch }
      const problem = headerProblem(header, expected)
      if (problem !== undefined) throw this.log.corruption(position, problem)
      if (batchLastOffset(header) >= offset) return { position, baseOffset: batchBaseOffset(header) }
      baseOffset = batchLastOffset(header) + 1
      position += batchSizeBytes(header)
      exact = this.dense
    }
    return { position, baseOffset }
  }

  /** What a summary says of the segment as it is now. */
  facts(): SegmentFacts {
    const { indexes } = this
    return {
      logSizeBytes: this.log.sizeBytes,
      nextOffset: this.nextOffset,
      coveredOffsets: this.coveredOffsets,
      createdMs: this.createdMs,
      firstTimestampMs: this.firstTimestampMs,
      cleanedTo: this.cleanedTo,
      greatest: indexes.greatest,
      bytesSinceIndexEntry: indexes.bytesSinceEntry,
      offsetIndex: indexes.offsets.file.sum,
      timeIndex: indexes.times.file.sum,
      transactionIndex: indexes.transactions.file.sum
    }
  }

  close(): void {
    this.log.close()
    this.indexes.close()
  }

  #rememberEnd(bytes: Buffer, position: number): void {
    if (this.#nextPositions.size >= NEXT_POSITIONS) {
      const [oldest] = this.#nextPositions.keys()
      this.#nextPositions.delete(oldest)
    }
    this.#nextPositions.set(offsetAfter(bytes), position)
  }
}

/** Offset after the last of the whole batches in `bytes`. */
export function offsetAfter(bytes: Buffer): number {
  let last = 0
  for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) last = at
  return batchLastOffset(bytes, last) + 1
}
