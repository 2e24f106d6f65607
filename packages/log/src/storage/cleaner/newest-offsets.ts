import type { RecordBatch } from '../../wire/batch/record-batch.ts'
import { KeyMap } from './key-map.ts'
import type { PassedTransactions } from './passed-transactions.ts'
import { type SliceSource, visitSegment } from './segment-slices.ts'

/** What to look through. */
export interface NewestOffsetsOptions extends SliceSource {
  readonly fromOffset: number
  readonly boundOffset: number
  readonly transactions: PassedTransactions
  /** Memory for the keys. */
  readonly keyMapBytes: number
}

/** The first pass over what is new in a log. */
export interface NewestOffsets {
  readonly keys: KeyMap
  /** The last marker of each producer. */
  readonly markers: ReadonlyMap<number, number>
  /** All records below were looked at; less than the bound when the memory was used up. */
  readonly endOffset: number
}

/**
 * Notes the last offset of each key in `[fromOffset, boundOffset)`, leaving out what was aborted. When the memory is used up it ends before the
 * batch that no longer fits; the first batch is taken whatever it needs, so that every pass gets on.
 * @throws UncleanableError; CompactionInterrupted
 */
export async function findNewestOffsets(options: NewestOffsetsOptions): Promise<NewestOffsets> {
  const { log, fromOffset, boundOffset } = options
  const pass = new Pass(options)
  for (const segment of [...log.segments]) {
    if (segment.baseOffset >= boundOffset) break
    if (segment.nextOffset <= fromOffset) continue
    if (!(await visitSegment(options, { segment, fromOffset }, (batch) => pass.take(batch)))) break
  }
  return { keys: pass.keys, markers: pass.markers, endOffset: pass.endOffset }
}

class Pass {
  readonly keys: KeyMap
  readonly markers = new Map<number, number>()
  endOffset: number
  readonly #options: NewestOffsetsOptions
  #isFirst = true

  constructor(options: NewestOffsetsOptions) {
    this.#options = options
    this.keys = new KeyMap(options.keyMapBytes)
    this.endOffset = options.boundOffset
  }

  /** Returns false when the batch does not fit. */
  take(batch: RecordBatch): boolean {
    if (batch.isControl) {
      this.markers.set(batch.producerId, batch.lastOffset)
      return true
    }
    const aborted = batch.isTransactional && this.#options.transactions.isAborted(batch.producerId, batch.baseOffset)
    if (aborted || this.#takeKeys(batch)) return true
    this.endOffset = batch.baseOffset
    return false
  }

  /** Keys of a batch that does not fit whole may stay: newer records with them are in the log. */
  #takeKeys(batch: RecordBatch): boolean {
    const cursor = batch.records()
    const force = this.#isFirst
    while (cursor.next()) {
      if (cursor.keyStart < 0 || cursor.offset < this.#options.fromOffset) continue
      const key = { start: cursor.keyStart, end: cursor.keyEnd, offset: cursor.offset }
      if (!this.keys.put(cursor.buffer, key, force)) return false
    }
    this.#isFirst = false
    return true
  }
}
