import type { Observable } from 'rxjs'
import type { Serde } from '../serde/serde.ts'

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

/** Which way entries come. */
export interface Direction {
  /** True: the last first. Default false. */
  readonly reverse?: boolean
}

/** A range of time, in milliseconds since the epoch, both ends included; the default is all of it. */
export interface TimeRange extends Direction {
  readonly fromMs?: number
  readonly toMs?: number
}

/** Of a prefix query. */
export interface PrefixOptions<P> extends Direction {
  /** How the prefix is written, where it is not a key itself, as the first parts of a tuple. Default: as keys are. */
  readonly serde?: Serde<P>
}

/** A version of a row: valid from its timestamp up to that of the next one. */
export interface RowVersion<V> {
  /** Undefined: the row was deleted then. */
  readonly value: V | undefined
  readonly timestamp: number
  /** When the next version followed, milliseconds since the epoch; undefined: it is the latest. */
  readonly validUntilMs: number | undefined
}

/**
 * Reads a store of a running application, across the tasks that run here. Only committed data is seen: what a crash could take back never
 * shows. Until the application runs, reads wait; once it has ended, they fail. Of a versioned table it shows the latest version, unless another one is
 * asked for; of a `suppress` what is held back, by the keys of its table; of a durable RxJS operator its `DurableState`.
 */
export interface QueryableStore<K, V> {
  /** The value of a key; of a window store, the newest window's. Undefined when there is none. */
  get(key: K): Promise<V | undefined>
  /** Key-value stores: keys from `from` to `to`, both included, in the order of their bytes. */
  range(from?: K, to?: K, direction?: Direction): AsyncIterable<StoreEntry<K, V>>
  /** Key-value stores: keys whose bytes begin with those of the prefix, in their order. */
  prefix<P = K>(prefix: P, options?: PrefixOptions<P>): AsyncIterable<StoreEntry<K, V>>
  /** Every entry: by key, or by window start and then key; ordered within each task. */
  all(direction?: Direction): AsyncIterable<StoreEntry<K, V>>
  /** Window stores: one key's windows by their start; `range` is that of the starts. Session stores: by their end, and `range` is that of the ends. */
  fetch(key: K, range?: TimeRange): AsyncIterable<StoreEntry<K, V>>
  /** Session stores: one key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by their end. */
  findSessions(
    key: K,
    earliestEndMs: number,
    latestStartMs: number,
    direction?: Direction
  ): AsyncIterable<StoreEntry<K, V>>
  /** Window stores: all keys' windows by their start; of sessions by their end. */
  fetchAll(range?: TimeRange): AsyncIterable<StoreEntry<K, V>>
  /** Versioned tables: the value of a key as it was at a time, as far as the history goes back. */
  asOf(key: K, timeMs: number): Promise<V | undefined>
  /** Versioned tables: what the history has of a key, oldest first. */
  versions(key: K): Promise<readonly RowVersion<V>[]>
  /** About how many entries there are here. Windows that are past their retention may still be counted. */
  approximateCount(): Promise<number>
  /** The key's entry now, if there is one (of windows the newest), and again after every commit that changed it (every window that it changed). */
  watch(key: K): Observable<StoreEntry<K, V>>
  /** Every entry that a commit changed, after the commit. */
  readonly changes$: Observable<StoreEntry<K, V>>
}
