import type { Serde } from '../serde/serde.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import { TimeHeap } from './time-heap.ts'

/** A key of a store, and the time it waits from. */
export interface DueKey {
  readonly placeMs: number
  readonly key: unknown
}

/** Keys that are kept in memory. */
const MOST_KEYS = 65_536

/**
 * The keys of a time-ordered store that are next in time, in memory, so that what is due is found within the record that makes it due. It follows the
 * store: all that waits from before {@link horizonMs} is here, perhaps with some that no longer waits, which its user finds out by asking the store.
 * Beyond the horizon the store itself has to be asked, which takes a while.
 */
export class DueKeys {
  readonly #key: Serde<unknown>
  readonly #most: number
  readonly #places = new TimeHeap<number>((placeMs) => placeMs)
  readonly #byPlace = new Map<number, unknown[]>()
  #count = 0
  #horizonMs = Number.NEGATIVE_INFINITY
  #loading = false

  /** @param key Of the store. */
  constructor(key: Serde<unknown>, most = MOST_KEYS) {
    this.#key = key
    this.#most = most
  }

  /** Whatever waits from before this time, milliseconds, is here. */
  get horizonMs(): number {
    return this.#loading ? Number.NEGATIVE_INFINITY : this.#horizonMs
  }

  /** The store holds nothing. */
  beginEmpty(): void {
    this.#horizonMs = Number.POSITIVE_INFINITY
  }

  /**
   * Takes over what the store holds, as far as there is room.
   * @param pages By time.
   */
  async load(pages: AsyncIterable<readonly WindowEntry[]>): Promise<void> {
    this.#clear()
    this.#loading = true
    let horizonMs = Number.POSITIVE_INFINITY
    loading: for await (const page of pages) {
      for (const { key, windowStartMs } of page) {
        if (this.#count >= this.#most) {
          horizonMs = windowStartMs
          break loading
        }
        this.#insert(windowStartMs, key)
      }
    }
    this.#loading = false
    this.#horizonMs = horizonMs
  }

  /** A key waits from now on. */
  add(placeMs: number, key: unknown): void {
    if (placeMs >= this.#horizonMs && !this.#loading) return
    this.#insert(placeMs, key)
    if (this.#count > this.#most && !this.#loading) this.#shrink()
  }

  /** Takes away what waits from before a time, which is at most the horizon: by time, then by the key's bytes, each once. */
  take(toMs: number): DueKey[] {
    const due: DueKey[] = []
    for (let placeMs = this.#places.peek(); placeMs !== undefined && placeMs < toMs; placeMs = this.#places.peek()) {
      this.#places.take()
      for (const key of this.#inOrder(this.#remove(placeMs))) due.push({ placeMs, key })
    }
    return due
  }

  #insert(placeMs: number, key: unknown): void {
    const keys = this.#byPlace.get(placeMs)
    this.#count++
    if (keys) keys.push(key)
    else {
      this.#byPlace.set(placeMs, [key])
      this.#places.add(placeMs)
    }
  }

  #remove(placeMs: number): readonly unknown[] {
    const keys = this.#byPlace.get(placeMs) ?? []
    this.#byPlace.delete(placeMs)
    this.#count -= keys.length
    return keys
  }

  #inOrder(keys: readonly unknown[]): readonly unknown[] {
    if (keys.length < 2) return keys
    const encoded = keys.map((key) => ({ key, bytes: this.#key.encode(key) }))
    encoded.sort((one, other) => Buffer.compare(one.bytes, other.bytes))
    return encoded.filter(({ bytes }, i) => i === 0 || !bytes.equals(encoded[i - 1].bytes)).map(({ key }) => key)
  }

  /** Gives up the half that is furthest away: the horizon comes nearer. */
  #shrink(): void {
    const places = [...this.#byPlace.keys()].sort((one, other) => other - one)
    for (const placeMs of places) {
      if (this.#count <= this.#most / 2) break
      this.#remove(placeMs)
      this.#horizonMs = placeMs
    }
    const left = [...this.#byPlace.keys()]
    while (this.#places.take() !== undefined);
    for (const placeMs of left) this.#places.add(placeMs)
  }

  #clear(): void {
    this.#byPlace.clear()
    while (this.#places.take() !== undefined);
    this.#count = 0
  }
}
