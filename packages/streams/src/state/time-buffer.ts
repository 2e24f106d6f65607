import { toWaitingRecords, type WaitingRecord } from '../serde/waiting-list.ts'
import type { KeyValueStore } from './store.ts'

const fanOut = 32
/** 32 to the 11th is above 2^53: the topmost bitmap covers all of time. */
const levels = 11
/** Bitmaps of a level that are kept at hand: records are set at one end of the time that waits, and taken at the other. */
const slots = 8

const noRecords: readonly WaitingRecord[] = Object.freeze([])

/**
 * Records that wait, ordered by timestamp, in a key-value store: so they are changelogged, rolled back and restored like any state, and nothing
 * has to be read at the start. Lists of one timestamp lie under the timestamp itself. Above them stands a tree of bitmaps, 32 children each, under
 * negative keys: bit i of bitmap n at level 1 says that there is a list at 32 n + i, at level 2 that there is a bitmap of level 1, and so on. So
 * the next list after any time takes a few point reads, however far away it is, and what is not there is not asked for.
 *
 * It takes part in the stage of the store's records, since it keeps a few bitmaps at hand.
 */
export class TimeBuffer {
  readonly #store: KeyValueStore<unknown, unknown>
  /** By level and slot: which bitmap is at hand (-1: none), and its bits. */
  readonly #known = new Float64Array((levels + 1) * slots).fill(-1)
  readonly #bits = new Int32Array((levels + 1) * slots)

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
    if (!this.#has(1, timestampMs)) return noRecords
    return toWaitingRecords(this.#store.get(timestampMs)?.value)
  }

  /** Replaces the records of a timestamp, from 0; none removes it. */
  set(timestampMs: number, records: readonly WaitingRecord[]): void {
    if (records.length > 0 && !this.#has(1, timestampMs)) this.#store.putNew(timestampMs, records, timestampMs)
    else this.#store.put(timestampMs, records.length === 0 ? null : records, timestampMs)
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

  mark(): void {}

  rollback(): void {
    this.#known.fill(-1)
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
      if (before === 0) this.#store.putNew(bitmapKey(level, parent), after >>> 0, timestampMs)
      else this.#store.put(bitmapKey(level, parent), after === 0 ? null : after >>> 0, timestampMs)
      this.#remember(level, parent, after)
      if (present ? before !== 0 : after !== 0) return
      index = parent
    }
  }

  /** Whether there is what an index stands for below a level. */
  #has(level: number, index: number): boolean {
    const parent = Math.floor(index / fanOut)
    return (this.#bitmap(level, parent) & (1 << (index - parent * fanOut))) !== 0
  }

  #bitmap(level: number, index: number): number {
    const slot = slotOf(level, index)
    if (this.#known[slot] === index) return this.#bits[slot]
    const isThere = level === levels || this.#has(level + 1, index)
    const bits = isThere ? Number(this.#store.get(bitmapKey(level, index))?.value ?? 0) | 0 : 0
    return this.#remember(level, index, bits)
  }

  #remember(level: number, index: number, bits: number): number {
    const slot = slotOf(level, index)
    this.#known[slot] = index
    this.#bits[slot] = bits
    return bits
  }
}

/** The key of the bitmap at level 0, which there is none of. */
const noteKey = -1

/** Indexes are below 2^48 from level 1 on, so that key and level fit into 53 bits. */
function bitmapKey(level: number, index: number): number {
  return -(1 + index * 16 + level)
}

function slotOf(level: number, index: number): number {
  return level * slots + (index % slots)
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits)
}
