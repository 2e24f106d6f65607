/**
 * The stores as operators see them: decoded values, synchronous point access. Writes go to a write buffer that the commit spine
 * turns into changelog records and one engine batch; `undefined` means absent.
 */

/** A value and the event time (milliseconds) it was computed at. */
export interface Timestamped<V> {
  readonly value: V
  readonly timestamp: number
}

/** One value per key. */
export interface KeyValueStore<K, V> {
  readonly name: string
  get(key: K): Timestamped<V> | undefined
  /** Null deletes. */
  put(key: K, value: V | null, timestamp: number): void
}

/** One value per key and window start (milliseconds). */
export interface WindowStore<K, V> {
  readonly name: string
  get(key: K, windowStartMs: number): Timestamped<V> | undefined
  /** Null deletes. A window past the store's retention is absent, and a write to it is dropped. */
  put(key: K, windowStartMs: number, value: V | null, timestamp: number): void
}
