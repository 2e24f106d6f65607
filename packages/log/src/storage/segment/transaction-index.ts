import { readInt53, writeInt53 } from '../../wire/batch/header.ts'
import type { EntryFile } from './entry-file.ts'

/** Bytes of an entry: version, producer id, first offset, last offset (the marker's), last stable offset at the abort. */
export const TRANSACTION_INDEX_ENTRY_BYTES = 34

/** One aborted transaction. All its records lie in `[firstOffset, lastOffset]`. */
export interface AbortedSpan {
  readonly producerId: number
  readonly firstOffset: number
  /** Offset of the abort marker. */
  readonly lastOffset: number
  /** Below it no transaction was open when this one was aborted. */
  readonly lastStableOffset: number
}

/** Aborted transactions whose marker lies in a segment: Kafka's `.txnindex`; there is no file without any. */
export class TransactionIndex {
  readonly file: EntryFile
  readonly #entry = Buffer.alloc(TRANSACTION_INDEX_ENTRY_BYTES)

  constructor(file: EntryFile) {
    this.file = file
  }

  append(span: AbortedSpan): void {
    this.#entry.writeInt16BE(0, 0)
    writeInt53(this.#entry, span.producerId, 2)
    writeInt53(this.#entry, span.firstOffset, 10)
    writeInt53(this.#entry, span.lastOffset, 18)
    writeInt53(this.#entry, span.lastStableOffset, 26)
    this.file.append(this.#entry)
  }

  /**
   * Adds to `found` the aborted transactions that overlap `[fromOffset, toOffset)`. Returns true when later segments cannot
   * have more of them.
   */
  collect(range: { readonly fromOffset: number; readonly toOffset: number }, found: AbortedSpan[]): boolean {
    for (let index = this.#firstEndingAt(range.fromOffset); index < this.file.count; index++) {
      const span = decodeSpan(this.file.entry(index))
      if (span.firstOffset < range.toOffset) found.push(span)
      if (span.lastStableOffset >= range.toOffset) return true
    }
    return false
  }

  /** Entries rise by last offset. */
  #firstEndingAt(offset: number): number {
    let low = 0
    let high = this.file.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (decodeSpan(this.file.entry(middle)).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}

function decodeSpan(entry: Buffer): AbortedSpan {
  return {
    producerId: readInt53(entry, 2),
    firstOffset: readInt53(entry, 10),
    lastOffset: readInt53(entry, 18),
    lastStableOffset: readInt53(entry, 26)
  }
}
