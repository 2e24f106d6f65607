import type { Duration } from './duration.ts'
import type { Header, RecordOrigin } from './record.ts'

/** Which clock a punctuation goes by: the greatest event time the task has taken in, or the time of day. */
export type PunctuationClock = 'stream-time' | 'wall-clock'

/** A schedule that can be ended. */
export interface Cancellable {
  cancel(): void
}

/** What a processor forwards. A `StreamRecord` is one; what is left out is the current record's. */
export interface ForwardedRecord<K = unknown, V = unknown> {
  readonly key: K
  readonly value: V
  /** Milliseconds since the epoch; default: the current record's, or the punctuation's time. */
  readonly timestamp?: number
  /** Default: the current record's, or none in a punctuation. */
  readonly headers?: readonly Header[]
}

/** One value per key, as a processor uses it. Values are not to be changed in place: put a new one. */
export interface ProcessorStore<K = unknown, V = unknown> {
  readonly name: string
  get(key: K): V | undefined
  /** The time that went with the value, milliseconds since the epoch. */
  timestampOf(key: K): number | undefined
  /** @param timestampMs Default: the current record's, or the punctuation's time. */
  put(key: K, value: V, timestampMs?: number): void
  delete(key: K): void
  /** Entries as they are when it is called, in the order of the keys' bytes, also those that are not committed yet. */
  all(options?: { readonly reverse?: boolean }): AsyncIterable<readonly [key: K, value: V]>
  /** The same from `from` to `to`, both included; undefined is the end. */
  range(
    from: K | undefined,
    to: K | undefined,
    options?: { readonly reverse?: boolean }
  ): AsyncIterable<readonly [key: K, value: V]>
}

/** A key-value store that a processor may only read. */
export type ProcessorReadOnlyStore<K = unknown, V = unknown> = Pick<
  ProcessorStore<K, V>,
  'name' | 'get' | 'timestampOf' | 'all' | 'range'
>

/** A store that a processor may only read: the rows of a topic of which every instance has all partitions. */
export interface ProcessorGlobalStore<K = unknown, V = unknown> {
  readonly name: string
  get(key: K): V | undefined
}

/** A window of a key in a processor's store. */
export interface ProcessorWindow<V = unknown> {
  readonly startMs: number
  readonly value: V
}

/** One value per key and window, as a processor uses it. */
export interface ProcessorWindowStore<K = unknown, V = unknown> {
  readonly name: string
  get(key: K, windowStartMs: number): V | undefined
  /** A window past the store's retention is absent, and a write to it is dropped. */
  put(key: K, windowStartMs: number, value: V, timestampMs?: number): void
  delete(key: K, windowStartMs: number): void
  /**
   * The key's windows that start from `fromMs` to `toMs`, both included, by start.
   * @throws UsageError when the store was not defined with `byKey`.
   */
  fetch(key: K, fromMs: number, toMs: number): readonly ProcessorWindow<V>[]
  /** All windows that start from `fromMs` to `toMs`, both included, by start and then by the key's bytes. */
  windows(fromMs: number, toMs: number): AsyncIterable<readonly [key: K, windowStartMs: number, value: V]>
}

/** A session of a key in a processor's store: from its first record to its last, both included, milliseconds. */
export interface ProcessorSession<V = unknown> {
  readonly startMs: number
  readonly endMs: number
  readonly value: V
}

/** One value per key and session, as a processor uses it. */
export interface ProcessorSessionStore<K = unknown, V = unknown> {
  readonly name: string
  get(key: K, session: Omit<ProcessorSession, 'value'>): V | undefined
  /** The key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by end, then start. */
  find(key: K, earliestEndMs: number, latestStartMs: number): readonly ProcessorSession<V>[]
  /** A session past the store's retention is absent, and a write to it is dropped. Its time is its end. */
  put(key: K, session: Omit<ProcessorSession, 'value'>, value: V): void
  delete(key: K, session: Omit<ProcessorSession, 'value'>): void
}

/** All values that a key has had in the store's history, as a processor uses it. */
export interface ProcessorVersionedStore<K = unknown, V = unknown> {
  readonly name: string
  /** The latest value. */
  get(key: K): V | undefined
  /** The time from which on the latest value is valid, milliseconds since the epoch. */
  timestampOf(key: K): number | undefined
  /** The value that was valid at a time; undefined where there was none, and for times before the history. */
  asOf(key: K, timeMs: number): V | undefined
  /**
   * A value that is valid from a time on, until the next one there is; older than the history it is dropped and counted as late.
   * @param timestampMs Default: the current record's, or the punctuation's time.
   */
  put(key: K, value: V, timestampMs?: number): void
  /** From that time on there is no value, until the next one there is. */
  delete(key: K, timestampMs?: number): void
}

/** Any store of a processor. */
export type AnyProcessorStore =
  | ProcessorStore
  | ProcessorWindowStore
  | ProcessorSessionStore
  | ProcessorVersionedStore
  | ProcessorGlobalStore
  | ProcessorReadOnlyStore

/** What a processor is given: its stores, the way onward, its clocks. Of one task; valid until the processor is closed. */
export interface ProcessContext {
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** The greatest event time the task has taken in, milliseconds; -1 before the first record. Committed: a restart goes on from it. */
  readonly streamTimeMs: number
  /** The time of day as of this turn, milliseconds since the epoch. */
  readonly nowMs: number
  /** Where the current record came from; undefined in a punctuation. */
  readonly origin: RecordOrigin | undefined
  /** @throws UsageError when the processor was not given a store of that name. */
  store(name: string): AnyProcessorStore
  /** Sends a record on: it has run through all below when this returns. What is left out is the current record's. */
  forward(record: ForwardedRecord): void
  forward(key: unknown, value: unknown, timestampMs?: number): void
  /**
   * Calls `punctuate` every so often, between two records.
   *
   * - `stream-time`: first as soon as stream time is known, then whenever it has passed the next multiple of the interval.
   * - `wall-clock`: first an interval from now, then every interval, as far as the task has its turn.
   *
   * Intervals that were missed are one call; the grid stays. Schedules made while the processor is made keep their place through a restart;
   * a later one ends with the task.
   */
  schedule(
    every: Duration,
    clock: PunctuationClock,
    punctuate: (timestampMs: number) => void | Promise<void>
  ): Cancellable
  /** Asks for a commit at the next chance. */
  commit(): void
}
