import type { FileHandle } from '../../environment/environment.ts'
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchBaseOffset,
  batchLastOffset,
  batchSizeBytes
} from '../../wire/batch/header.ts'
import { crcMatches, type ExpectedBatch, headerProblem } from './batch-check.ts'
import { FileWindow } from './file-window.ts'

/** Which bytes of a log file to scan, and what is known of the first batch and those after it. */
export interface ScanRange extends ExpectedBatch {
  readonly fromPosition: number
  readonly toPosition: number
  /** False skips the checksums of batches that are known to be good. */
  readonly verifyCrc: boolean
  /** Whether the bad ranges will be taken out, so that what follows them moves up. */
  readonly closesGaps: boolean
}

/** Bytes that are no valid batch. */
export interface BadRange {
  readonly from: number
  readonly to: number
  /** Offsets that it may have held. */
  readonly fromOffset: number
  readonly toOffset: number
  readonly problem: string
}

/** What a scan found. */
export interface ScanResult {
  /** Bad ranges with a valid batch after them. */
  readonly badRanges: readonly BadRange[]
  /** Where the last valid batch ends. */
  readonly endPosition: number
  /** Offset after the last valid batch. */
  readonly nextOffset: number
  /** What is wrong with the bytes from `endPosition` on; undefined when there are none. */
  readonly tailProblem: string | undefined
}

const SEARCH_BYTES = 64 * 1024

/**
 * Walks the batches of a log file and calls `visit` with each valid one (bytes valid during the call) and the position it has,
 * or will have once the bad ranges before it are taken out. Without `verifyCrc` only the header is passed, and all of a control
 * batch.
 */
export function scanBatches(
  handle: FileHandle,
  range: ScanRange,
  visit: (batch: Buffer, position: number) => void
): ScanResult {
  const scan = new Scan(handle, range)
  const badRanges: BadRange[] = []
  let position = range.fromPosition
  let nextOffset = range.minOffset
  let removedBytes = 0
  while (position < range.toPosition) {
    const found = scan.batchAt(position, nextOffset)
    if (typeof found === 'string') {
      const next = scan.nextValid(position, nextOffset)
      if (next === undefined) return { badRanges, endPosition: position, nextOffset, tailProblem: found }
      badRanges.push({
        from: position,
        to: next.position,
        fromOffset: nextOffset,
        toOffset: next.baseOffset,
        problem: found
      })
      removedBytes += next.position - position
      position = next.position
      nextOffset = next.baseOffset
    } else {
      visit(found, range.closesGaps ? position - removedBytes : position)
      nextOffset = batchLastOffset(found) + 1
      position += batchSizeBytes(found)
    }
  }
  return { badRanges, endPosition: position, nextOffset, tailProblem: undefined }
}

interface FoundBatch {
  readonly position: number
  readonly baseOffset: number
}

class Scan {
  readonly #window: FileWindow
  readonly #range: ScanRange

  constructor(handle: FileHandle, range: ScanRange) {
    this.#window = new FileWindow(handle, range.toPosition)
    this.#range = range
  }

  /** The batch at `position` (its header when checksums are skipped), or what is wrong with it. */
  batchAt(position: number, minOffset: number): Buffer | string {
    const found = this.#check(position, { minOffset, exact: this.#range.exact, verifyCrc: this.#range.verifyCrc })
    if (typeof found === 'string' || this.#range.exact || batchBaseOffset(found) === minOffset) return found
    return (
      this.#contradicted(position, minOffset) ??
      this.#check(position, { minOffset, exact: false, verifyCrc: this.#range.verifyCrc })
    )
  }

  /**
   * The first valid batch behind the bad one at `position`. The bad one's own length is believed when it leads to a valid
   * batch, by way of other bad ones if need be: a batch kept inside the value of a record must not be taken for one of the log's.
   */
  nextValid(position: number, minOffset: number): FoundBatch | undefined {
    let hop = this.#behind(position)
    while (hop !== undefined) {
      if (hop === this.#range.toPosition) return undefined
      const found = this.#check(hop, { minOffset, exact: false, verifyCrc: true })
      if (typeof found !== 'string') return { position: hop, baseOffset: batchBaseOffset(found) }
      hop = this.#behind(hop)
    }
    return this.#search(position + 1, minOffset)
  }

  #check(
    position: number,
    how: { readonly minOffset: number; readonly exact: boolean; readonly verifyCrc: boolean }
  ): Buffer | string {
    const header = this.#window.view(position, BATCH_HEADER_BYTES)
    const { endOffset, epochAt, toPosition } = this.#range
    const problem = headerProblem(header, { minOffset: how.minOffset, exact: how.exact, endOffset, epochAt })
    if (problem !== undefined) return problem
    const sizeBytes = batchSizeBytes(header)
    if (position + sizeBytes > toPosition) return 'the batch is cut off'
    if (!how.verifyCrc && (batchAttributes(header) & BatchAttribute.control) === 0) return header
    const bytes = this.#window.view(position, sizeBytes)
    return !how.verifyCrc || crcMatches(bytes) ? bytes : 'the checksum does not match'
  }

  /**
   * A batch that begins later than it could is believed unless the one behind it goes on from before it: then its base offset is
   * what is damaged.
   */
  #contradicted(position: number, minOffset: number): string | undefined {
    const header = this.#window.view(position, BATCH_HEADER_BYTES)
    const baseOffset = batchBaseOffset(header)
    const afterwards = batchLastOffset(header) + 1
    const behind = this.#check(position + batchSizeBytes(header), { minOffset, exact: false, verifyCrc: true })
    if (typeof behind === 'string' || batchBaseOffset(behind) >= afterwards) return undefined
    return `base offset ${baseOffset} stands where at most ${batchBaseOffset(behind)} is possible`
  }

  /** Where a batch ends that may be bad, if its header is one by its form. */
  #behind(position: number): number | undefined {
    const header = this.#window.view(position, BATCH_HEADER_BYTES)
    if (header.length < BATCH_HEADER_BYTES || header[BatchField.magic] !== 2) return undefined
    const sizeBytes = batchSizeBytes(header)
    const next = position + sizeBytes
    return sizeBytes >= BATCH_HEADER_BYTES && next <= this.#range.toPosition ? next : undefined
  }

  #search(from: number, minOffset: number): FoundBatch | undefined {
    const last = this.#range.toPosition - BATCH_HEADER_BYTES
    for (let start = from; start <= last; start += SEARCH_BYTES) {
      const view = this.#window.view(start + BatchField.magic, SEARCH_BYTES)
      const candidates: number[] = []
      for (let at = view.indexOf(2); at >= 0; at = view.indexOf(2, at + 1)) candidates.push(start + at)
      for (const position of candidates) {
        const found = this.#check(position, { minOffset, exact: false, verifyCrc: true })
        if (typeof found !== 'string') return { position, baseOffset: batchBaseOffset(found) }
      }
    }
    return undefined
  }
}
