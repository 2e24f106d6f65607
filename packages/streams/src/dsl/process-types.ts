import type { Duration } from '../graph/duration.ts'
import type {
  ProcessContext as AnyContext,
  Cancellable,
  ForwardedRecord,
  PunctuationClock
} from '../graph/process-context.ts'
import type { Header, StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { StepOptions } from './options.ts'
import type { StoreHandle, StoreOf } from './store-handle.ts'

/** Handles of the stores that a processor uses. */
export type StoreHandles = readonly StoreHandle[]

/** What every processor is given; `S` are its stores. */
export interface BaseProcessContext<S extends StoreHandles> {
  /** `<sub-topology>_<partition>`. */
  readonly taskId: string
  /** The greatest event time the task has taken in, milliseconds; -1 before the first record. Committed: a restart goes on from it. */
  readonly streamTimeMs: number
  /** The time of day, milliseconds since the epoch, from the injected clock. */
  readonly nowMs: number
  /** Where the current record came from; undefined in a punctuation. */
  readonly origin: AnyContext['origin']
  /** One of the stores given in `{ stores }`. */
  store<N extends S[number]['name']>(name: N): StoreOf<Extract<S[number], { readonly name: N }>>
  /**
   * Calls `punctuate` every so often, between two records: by `stream-time` first as soon as that is known, then when it has passed the next multiple
   * of the interval; by `wall-clock` an interval from now, and so on. Missed intervals are one call and the grid stays. Schedules made while
   * the processor is made keep their place through a restart; one that a record makes ends with the task.
   */
  schedule(
    every: Duration,
    clock: PunctuationClock,
    punctuate: (timestampMs: number) => void | Promise<void>
  ): Cancellable
  /** Asks for a commit at the next chance. */
  commit(): void
}

/** What a processor is given that may change keys. */
export interface ProcessContext<K, V, S extends StoreHandles = readonly []> extends BaseProcessContext<S> {
  /** Sends a record on: it has run through all below when this returns. What is left out is the current record's. */
  forward(record: ForwardedRecord<K, V>): void
  forward(key: K, value: V, timestampMs?: number): void
}

/** What a processor is given that keeps keys. */
export interface ProcessValuesContext<V, S extends StoreHandles = readonly []> extends BaseProcessContext<S> {
  /**
   * Sends a record on with the current record's key.
   * @throws UsageError in a punctuation, which has no record.
   */
  forward(value: V, options?: { readonly timestamp?: number; readonly headers?: readonly Header[] }): void
}

/** A processor of one task. A promise holds the task back until it settles. */
export interface RecordProcessor<K, V> {
  process(record: StreamRecord<K, V>): void | Promise<void>
  /** The task ends. */
  close?(): void
}

/** A function per record, or `{ make }`, called once per task, with what is to be kept between records in its closure, or in stores. */
export type ProcessorOf<K, V, C> =
  | ((record: StreamRecord<K, V>, context: C) => void | Promise<void>)
  | { readonly make: (context: C) => RecordProcessor<K, V> }

/** Of `process` and `processValues`. */
export interface ProcessOptions<S extends StoreHandles> extends StepOptions {
  /** The stores it uses; processors that are given the same handle share the store. */
  readonly stores?: S
}

/** Of `process`. */
export interface KeyedProcessOptions<S extends StoreHandles> extends ProcessOptions<S> {
  /**
   * Whether every key it sends belongs to the partition that the task reads, so that nothing below repartitions; default false. It is not checked: a
   * key that does belong elsewhere is kept by two tasks then, each with a part of its records.
   */
  readonly keepsPartition?: boolean
}

/** A serde that says what a processor's new keys are. */
export interface NewKey<K> {
  readonly key: Serde<K>
}

/** A serde that says what a processor's new values are. */
export interface NewValue<V> {
  readonly value: Serde<V>
}
