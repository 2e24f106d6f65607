import { readInt53, writeInt53 } from '../../wire/batch/header.ts'
import type { EntryFile } from './entry-file.ts'

/** Bytes of an entry: timestamp, offset relative to the segment's base. */
export const TIME_INDEX_ENTRY_BYTES = 12

/** A timestamp and the last offset of the batch that has it. */
export interface TimestampOffset {
  readonly timestampMs: number
  readonly offset: number
}

/** Finds the neighbourhood of a timestamp in a segment: Kafka's `.timeindex`; entry = greatest timestamp up to an offset. */
export class TimeIndex {
  readonly file: EntryFile
  readonly #baseOffset: number
  readonly #entry = Buffer.alloc(TIME_INDEX_ENTRY_BYTES)

  constructor(file: EntryFile, baseOffset: number) {
    this.file = file
    this.#baseOffset = baseOffset
  }

  /** Adds an entry unless its timestamp is not above the last one's. */
  maybeAppend(greatest: TimestampOffset): void {
    const last = this.file.count - 1
    if (last >= 0 && greatest.timestampMs <= readInt53(this.file.entry(last), 0)) return
    writeInt53(this.#entry, greatest.timestampMs, 0)
    this.#entry.writeInt32BE(greatest.offset - this.#baseOffset, 8)
    this.file.append(this.#entry)
  }

  /** An offset before which no record has a timestamp at or above `timestampMs`, except in the batch that contains it. */
  lookup(timestampMs: number): number {
    let low = 0
    let high = this.file.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (readInt53(this.file.entry(middle), 0) <= timestampMs) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.#baseOffset : this.#baseOffset + this.file.entry(low - 1).readInt32BE(8)
  }
}
