import { toWaitingRecords, type WaitingRecord } from '../serde/waiting-list.ts'
import type { KeyValueStore } from './store.ts'

const fanOut = 32
/** 32 to the 11th is above 2^53: the topmost bitmap covers all of time. */
const levels = 11

/**
 * Records that wait, ordered by timestamp, in a key-value store: so they are changelogged, rolled back and restored like any state, and nothing
 * has to be read at the start. Lists of one timestamp lie under the timestamp itself. Above them stands a tree of bitmaps, 32 children each, under
 * negative keys: bit i of bitmap n at level 1 says that there is a list at 32 n + i, at level 2 that there is a bitmap of level 1, and so on. So
 * the next list after any time takes a few point reads, however far away it is.
 */
export class TimeBuffer {
  readonly #store: KeyValueStore<unknown, unknown>

  /** @param store with keys of `long()` and values of `waitingListSerde()`. */
  constructor(store: KeyValueStore<unknown, unknown>) {
    this.#store = store
  }

  /** A time that its user keeps with the records. */
  get noteMs(): number | undefined {
    return this.#store.get(noteKey)?.timestamp
  }

  set noteMs(ms: number | undefined) {
    this.#store.put(noteKey, ms === undefined ? null : 0, ms ?? 0)
  }

  /** The records of a timestamp, in the order they were set. */
  at(timestampMs: number): readonly WaitingRecord[] {
    return toWaitingRecords(this.#store.get(timestampMs)?.value)
  }

  /** Replaces the records of a timestamp, from 0; none removes it. */
  set(timestampMs: number, records: readonly WaitingRecord[]): void {
    this.#store.put(timestampMs, records.length === 0 ? null : records, timestampMs)
    this.#mark(timestampMs, records.length > 0)
  }

  /** The first timestamp from `fromMs` on, included, that has records. */
  next(fromMs: number): number | undefined {
    let index = Math.max(0, fromMs)
    for (let level = 1; level <= levels; level++) {
      const parent = Math.floor(index / fanOut)
      const bits = this.#bitmap(level, parent) & (-1 << (index - parent * fanOut))
      if (bits !== 0) return this.#leftmost(level, parent * fanOut + lowestBit(bits))
      index = parent + 1
    }
    return undefined
  }

  #leftmost(level: number, found: number): number {
    let index = found
    for (let below = level - 1; below >= 1; below--) {
      index = index * fanOut + lowestBit(this.#bitmap(below, index))
    }
    return index
  }

  /** Sets or clears the bit of a timestamp, and those above as far as they change. */
  #mark(timestampMs: number, present: boolean): void {
    let index = timestampMs
    for (let level = 1; level <= levels; level++) {
      const parent = Math.floor(index / fanOut)
      const bit = 1 << (index - parent * fanOut)
      const before = this.#bitmap(level, parent)
      const after = present ? before | bit : before & ~bit
      if (after === before) return
      this.#store.put(bitmapKey(level, parent), after === 0 ? null : after >>> 0, timestampMs)
      if (present ? before !== 0 : after !== 0) return
      index = parent
    }
  }

  #bitmap(level: number, index: number): number {
    return Number(this.#store.get(bitmapKey(level, index))?.value ?? 0) | 0
  }
}

/** The key of the bitmap at level 0, which there is none of. */
const noteKey = -1

/** Indexes are below 2^48 from level 1 on, so that key and level fit into 53 bits. */
function bitmapKey(level: number, index: number): number {
  return -(1 + index * 16 + level)
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
