import type { Observable } from 'rxjs'

/** What a query returns: a copy that is the caller's own. */
export interface StoreEntry<K, V> {
  readonly key: K
  /** Undefined for a key that was deleted; only `watch` and `changes$` show those. */
  readonly value: V | undefined
  /** Event time of the value, milliseconds since the epoch. */
  readonly timestamp: number
  /** Window stores only. The end is exclusive; of sliding windows and sessions it is included. */
  readonly window?: { readonly startMs: number; readonly endMs: number }
}

/** A range of time, in milliseconds since the epoch, both ends included; the default is all of it. */
export interface TimeRange {
  readonly fromMs?: number
  readonly toMs?: number
}

/**
 * Reads a store of a running application, across the tasks that run here. Only committed data is seen: what a crash could take back never
 * shows. Until the application runs, reads wait.
 */
export interface QueryableStore<K, V> {
  /** The value of a key; of a window store, the newest window's. Undefined when there is none. */
  get(key: K): Promise<V | undefined>
  /** Key-value stores: keys from `from` to `to`, both included, in the order of their bytes. */
  range(from?: K, to?: K): AsyncIterable<StoreEntry<K, V>>
  /** Every entry: by key, or by window start and then key; ordered within each task. */
  all(): AsyncIterable<StoreEntry<K, V>>
  /** Window stores: one key's windows by their start; `range` is that of the starts. Session stores: by their end, and `range` is that of the ends. */
  fetch(key: K, range?: TimeRange): AsyncIterable<StoreEntry<K, V>>
  /** Session stores: one key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by their end. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): AsyncIterable<StoreEntry<K, V>>
  /** Window stores: all keys' windows by their start; of sessions by their end. */
  fetchAll(range?: TimeRange): AsyncIterable<StoreEntry<K, V>>
  /** The key's entry now, if there is one, and again after every commit that changed it. */
  watch(key: K): Observable<StoreEntry<K, V>>
  /** Every entry that a commit changed, after the commit. */
  readonly changes$: Observable<StoreEntry<K, V>>
}
