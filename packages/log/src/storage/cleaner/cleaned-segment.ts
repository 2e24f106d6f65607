import type { FileSystem } from '../../environment/environment.ts'
import { FileSystemError } from '../../errors.ts'
import { isMissing } from '../errors.ts'
import { CLEANED_SUFFIX, SegmentSuffix } from '../segment/file-names.ts'
import { Segment } from '../segment/segment.ts'
import { type SegmentSummary, writeSummary } from '../segment/summary.ts'
import type { AbortedSpan } from '../segment/transaction-index.ts'

const WRITE_BYTES = 256 * 1024

/** Where a compacted segment is written and what it takes over. */
export interface CleanedSegmentOptions {
  readonly files: FileSystem
  readonly directory: string
  readonly baseOffset: number
  readonly indexIntervalBytes: number
}

/** What the partition knows that belongs into the summary. */
export type PartitionFacts = Pick<SegmentSummary, 'topicId' | 'logStartOffset' | 'epochs' | 'createdMs' | 'cleanedTo'>

/** The segment that will replace one or more others, in files that end in `.cleaned`. */
export class CleanedSegment {
  readonly #options: CleanedSegmentOptions
  readonly #segment: Segment
  #pending: Buffer[] = []
  #pendingBytes = 0

  constructor(options: CleanedSegmentOptions) {
    const { files, directory, baseOffset } = options
    this.#options = options
    this.#segment = new Segment(files, {
      directory,
      baseOffset,
      sizeBytes: 0,
      createdMs: 0,
      fileSuffix: CLEANED_SUFFIX
    })
    this.#segment.log.handle.truncate(0)
  }

  get baseOffset(): number {
    return this.#segment.baseOffset
  }

  get nextOffset(): number {
    return this.#segment.nextOffset
  }

  get sizeBytes(): number {
    return this.#segment.log.sizeBytes + this.#pendingBytes
  }

  /** Entries of the larger of the two indexes by position. */
  get indexEntries(): number {
    const { offsets, times } = this.#segment.indexes
    return Math.max(offsets.file.count, times.file.count)
  }

  /** Adds a batch; it is written when enough have gathered. */
  append(batch: Buffer): void {
    this.#segment.note(batch, { position: this.sizeBytes, indexIntervalBytes: this.#options.indexIntervalBytes })
    this.#pending.push(batch)
    this.#pendingBytes += batch.length
    if (this.#pendingBytes >= WRITE_BYTES) this.#write()
  }

  /** Notes an aborted transaction whose marker was added. */
  indexAborted(span: AbortedSpan): void {
    this.#segment.indexes.transactions.append(span)
  }

  /**
   * Writes what is left, the indexes and the summary, and syncs all of it, names included.
   * @throws FileSystemError
   */
  async seal(facts: PartitionFacts): Promise<SegmentSummary> {
    const { files, directory } = this.#options
    const { log, indexes, summaryPath } = this.#segment
    this.#write()
    indexes.finish()
    indexes.settle()
    await log.datasync()
    await indexes.datasync()
    const summary = { ...this.#segment.facts(), ...facts }
    await writeSummary(files, summaryPath + CLEANED_SUFFIX, summary)
    await files.syncDirectory(directory)
    this.#segment.close()
    return summary
  }

  /** Removes the files, as far as they are there. */
  discard(): void {
    this.#segment.close()
    for (const suffix of Object.values(SegmentSuffix)) {
      try {
        this.#options.files.remove(this.#segment.path + suffix + CLEANED_SUFFIX)
      } catch (error) {
        // What cannot be removed now is removed by the next start.
        if (!(error instanceof FileSystemError) || isMissing(error)) continue
        return
      }
    }
  }

  #write(): void {
    if (this.#pendingBytes === 0) return
    this.#segment.log.append(this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending))
    this.#segment.indexes.flushBlocks()
    this.#pending = []
    this.#pendingBytes = 0
  }
}
