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

/** One value per key and window, as a processor uses it. */
export interface ProcessorWindowStore<K = unknown, V = unknown> {
  readonly name: string
  get(key: K, windowStartMs: number): V | undefined
  /** A window past the store's retention is absent, and a write to it is dropped. */
  put(key: K, windowStartMs: number, value: V, timestampMs?: number): void
  delete(key: K, windowStartMs: number): void
  /** All windows that start from `fromMs` to `toMs`, both included, by start and then by the key's bytes. */
  windows(fromMs: number, toMs: number): AsyncIterable<readonly [key: K, windowStartMs: number, value: V]>
}

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
  store(name: string): ProcessorStore | ProcessorWindowStore | ProcessorGlobalStore | ProcessorReadOnlyStore
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
