import type { Buffered } from '../serde/buffered.ts'

/**
 * The stores as operators see them: decoded values, synchronous point access. Writes go to a write buffer that the commit spine
 * turns into changelog records and one engine batch; `undefined` means absent.
 */

/** A value and the event time (milliseconds) it was computed at. */
export interface Timestamped<V> {
  readonly value: V
  readonly timestamp: number
}

/**
 * Where a store keeps the value of a key, or of a key in a window: what a write returns, so that an operator that has to remember what it changed
 * need not look it up again. Of a write that was dropped, a cell that is in no store.
 */
export interface StoreCell {
  /** As the store has it: of a session its start and its key. */
  readonly key: unknown
  /** Of a session its end; 0 in a key-value store. */
  readonly windowStartMs: number
  readonly sessionStartMs: number | undefined
  /** What is there now; undefined: absent. */
  readonly current: Timestamped<unknown> | undefined
  /** The time of the deletion, when there is nothing because of one. */
  readonly deletedAtMs: number
  /** It differs from what is committed. */
  readonly dirty: boolean
  /** An operator has still to say what became of it. It stays in memory meanwhile. */
  pending: boolean
}

/** Keys of a store from one to another, both included; undefined is the end. */
export interface KeySpan {
  readonly from?: unknown
  readonly to?: unknown
  readonly reverse?: boolean
}

/** One value per key. */
export interface KeyValueStore<K, V> {
  readonly name: string
  get(key: K): Timestamped<V> | undefined
  /** Null deletes. */
  put(key: K, value: V | null, timestamp: number): StoreCell
  /** As `put`, of a key that the caller knows to be absent, and that will soon be so again: nothing is looked up for it, nor kept once it is deleted. */
  putNew(key: K, value: V, timestamp: number): void
  /** Pages of rows by the keys' bytes, as they are when this is called. */
  rows(span: KeySpan): AsyncIterable<readonly { readonly key: K; readonly current: Timestamped<V> }[]>
}

/** One value per key and window start (milliseconds). */
export interface WindowStore<K, V> {
  readonly name: string
  /** The latest window start ever written by any key, -1 before. */
  readonly newestStartMs: number
  get(key: K, windowStartMs: number): Timestamped<V> | undefined
  /** Null deletes. A window past the store's retention is absent, and a write to it is dropped. */
  put(key: K, windowStartMs: number, value: V | null, timestamp: number): StoreCell
}

/** A window store whose windows begin anywhere, so that a key's are found by asking. */
export interface IndexedWindowStore<K, V> extends WindowStore<K, V> {
  /** The key's windows that start from `fromMs` to `toMs`, both included, ascending. */
  between(key: K, fromMs: number, toMs: number): readonly StoreCell[]
}

/** From a session's first record to its last, both included, milliseconds. */
export interface SessionBounds {
  readonly startMs: number
  readonly endMs: number
}

/** Updates that are held back, one per key. */
export interface BufferStore<K> {
  readonly name: string
  /** The latest place ever written by any key, -1 before. */
  readonly newestPlaceMs: number
  /** Its timestamp is the update's. */
  get(key: K): Timestamped<Buffered> | undefined
  put(key: K, held: Buffered, timestamp: number): void
  remove(key: K, timestamp: number): void
}

/** One value per key and session; its timestamp is the session's end. */
export interface SessionStore<K, V> {
  readonly name: string
  /** The latest end ever written by any key, -1 before. */
  readonly newestEndMs: number
  /** The key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by end, then start. */
  find(key: K, earliestEndMs: number, latestStartMs: number): readonly StoreCell[]
  get(key: K, session: SessionBounds): Timestamped<V> | undefined
  /** Null deletes. A session past the store's retention is absent, and a write to it is dropped. */
  put(key: K, session: SessionBounds, value: V | null): StoreCell
  /**
   * Gives a session of the key other bounds and a value, as if it had had them from the first; so what comes and goes between two commits costs nothing.
   * @returns undefined, and nothing is done, where that can not be: what is committed is deleted and put anew.
   */
  move(key: K, session: StoreCell, to: SessionBounds, value: V): StoreCell | undefined
}
