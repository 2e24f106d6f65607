import type { EntryFile } from './entry-file.ts'

/** Bytes of an entry: offset relative to the segment's base (of the batch's last record), position in the log file. */
export const OFFSET_INDEX_ENTRY_BYTES = 8

/** Finds the neighbourhood of an offset in a segment: Kafka's `.index`, one entry every `index.interval.bytes`. */
export class OffsetIndex {
  readonly file: EntryFile
  readonly #baseOffset: number
  readonly #entry = Buffer.alloc(OFFSET_INDEX_ENTRY_BYTES)

  constructor(file: EntryFile, baseOffset: number) {
    this.file = file
    this.#baseOffset = baseOffset
  }

  append(lastOffset: number, position: number): void {
    this.#entry.writeInt32BE(lastOffset - this.#baseOffset, 0)
    this.#entry.writeInt32BE(position, 4)
    this.file.append(this.#entry)
  }

  /** Position of a batch at or before the one that contains `offset`. */
  lookup(offset: number): number {
    const relative = offset - this.#baseOffset
    let low = 0
    let high = this.file.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.file.entry(middle).readInt32BE(0) <= relative) low = middle + 1
      else high = middle
    }
    return low === 0 ? 0 : this.file.entry(low - 1).readInt32BE(4)
  }
}
