import type { Duration } from '../graph/duration.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Materialized } from './materialized.ts'

/** The serdes a stream may know. A step that changes the type of keys or values forgets the one; giving it makes it known again. */
export type Slot = 'key' | 'value'

/** Serdes of keys `K` and values `V`; those in `Missing` must be given. */
export type SerdeOptions<K, V, Missing extends Slot> = KeySerde<K, Missing> & ValueSerde<V, Missing>

/** The serde of keys `K`; must be given if in `Missing`. */
export type KeySerde<K, Missing extends Slot> = 'key' extends Missing
  ? { readonly key: Serde<K> }
  : { readonly key?: Serde<K> }

/** The serde of values `V`; must be given if in `Missing`. */
export type ValueSerde<V, Missing extends Slot> = 'value' extends Missing
  ? { readonly value: Serde<V> }
  : { readonly value?: Serde<V> }

/** The options argument of a step: required when it has to give a missing serde. */
export type OptionsArgument<Missing extends Slot, Options> = [Missing] extends [never]
  ? [options?: Options]
  : [options: Options]

/** Text keys have a default serde, so a key-changing step that makes them knows it. */
export type TextKey<K> = [NonNullable<K>] extends [string] ? 'key' : never

/** Of any step. On a step that changes the key, `name` also stands for it in the names of the stores and internal topics below. */
export interface StepOptions {
  /** The node's name, for metrics, descriptions and errors. Default: derived from what the step is. */
  readonly name?: string
}

/** Of a stream read from topics. */
export interface StreamOptions<K, V> extends StepOptions {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /**
   * The record's event time in milliseconds since the epoch; default: the timestamp on the log. A record whose time is negative is
   * dropped and counted. `partitionTimeMs` is the highest so far in the partition, -1 at first.
   */
  readonly timestamp?: (value: V, record: StreamRecord<K, V>, partitionTimeMs: number) => number
  /**
   * Where to begin without a committed offset: with the first record, after the last, with the first of so much time before now, by the timestamps on the
   * log (a store made of that lacks what is older); `none` fails the application with `NoCommittedOffsetError`. Default `earliest`.
   */
  readonly reset?: 'earliest' | 'latest' | 'none' | { readonly since: Duration }
}

/**
 * Of a step that gives how its new values are written, for the steps below that have to. (`NoInfer`: the step's function says what `V` is,
 * and `json()` follows.)
 */
export interface GivenValue<V> {
  readonly value: Serde<NoInfer<V>>
}

/** Of a step that gives how its new keys are written, for the steps below that have to. */
export interface GivenKey<K> {
  readonly key: Serde<NoInfer<K>>
}

/** Of a repartition. */
export interface RepartitionOptions<K, V> extends StepOptions {
  /** Number of partitions; default: as many as the topics it must match, or the widest topic that feeds it. */
  readonly partitions?: number
  /** From 0 to below `partitions`. Default: murmur2 of the key's bytes, as Kafka's producers have it. */
  readonly partitioner?: (key: K, value: V, partitions: number) => number
}

/** Of `print()`. */
export interface PrintOptions<K, V> extends StepOptions {
  /** Stands in front of each line, in brackets. Default: the name of the step above. */
  readonly label?: string
  /** The line for a record; default: key and value. */
  readonly mapper?: (value: V, record: StreamRecord<K, V>) => string
  /** Where lines go. Default: standard output, by `console.log`. */
  readonly write?: (line: string) => void
}

/** Of a sink. */
export interface SinkOptions<K, V> extends StepOptions {
  /**
   * From 0 to below `partitions`; several are a copy each, none or undefined drops the record. Default: murmur2 of the key's bytes, for a windowed
   * key those of the key alone.
   */
  readonly partitioner?: (key: K, value: V, partitions: number) => number | readonly number[] | undefined
  /** True allows a topic that this stream is fed from: records may come round again. Default false, which refuses it. */
  readonly feedback?: boolean
}

/**
 * At most one update per key (and window) goes on in so much **stream time**: the last, once the first that waits is so old. Like all stream time it
 * stands still while no records come.
 */
export interface EmitEvery {
  readonly every: Duration
}

/**
 * What becomes of a record that came too late for a window: a callback hears of it, or it is written to a topic, in the transaction of its input. Once
 * a record, however many of its windows were closed; windows that are open take it all the same.
 */
export type LateOption<K, V> = ((value: V, record: StreamRecord<K, V>) => void) | { readonly lateTo: string }

/** Of `windowedBy`. */
export interface WindowedByOptions<K, V> {
  /** Default: late records are counted, and no more. */
  readonly onLate?: LateOption<K, V>
}

/** Of an aggregation. */
export interface AggregateOptions extends StepOptions {
  /** The store's name, under which it is queried and survives edits of the steps before it, or how it is kept too. Default: derived, not queryable. */
  readonly store?: string | Materialized
  /** When results go on: the last per key at each commit (default), every update, or at a limited rate. */
  readonly emit?: 'commit' | 'changes' | EmitEvery
  /**
   * Keys live for so long: a key none of whose records is younger than this, in stream time, the greatest timestamp that the task has taken in, is
   * deleted, here and downstream, and begins anew with its next record. Default: a key stays.
   */
  readonly ttl?: Duration
  /**
   * What a key's first update says the key was before, with emit `changes`: `nothing` (default), or what `initial` makes, as in Kafka Streams.
   * A grouping of the table then subtracts that, though it was never added.
   */
  readonly firstOldValue?: 'nothing' | 'initial'
}

/** Of a windowed aggregation. */
export interface WindowedAggregateOptions extends StepOptions {
  /** The store's name, under which it is queried and survives edits of the steps before it, or how it is kept too. Default: derived, not queryable. */
  readonly store?: string | Materialized
  /** When results go on: the last per window at each commit (default), every update, once when the window closes, or at a limited rate. */
  readonly emit?: 'commit' | 'changes' | 'final' | EmitEvery
  /**
   * How long a window is kept after its start, in stream time; at least size and grace, which is the default. With emit `final`, a window that
   * the time jumps past by more than a retention given here is gone without a result, as in Kafka Streams; by default none is.
   */
  readonly retention?: Duration
  /**
   * With emit `final`: when no record has come to this step of a task for so long by the wall clock, and none waits for it, all its windows are taken as
   * closed and have their results. What comes for them after that is late. Default: only records move the time.
   */
  readonly idle?: Duration
  /**
   * What a window's first update says the window was before, with emit `changes`: `nothing` (default), or, as in Kafka Streams, what the aggregate
   * was made of, which is what `initial` makes (or, of a sliding window, the one it is cut from). Sessions always begin with nothing then.
   */
  readonly firstOldValue?: 'nothing' | 'initial'
}

/** Of `pipe()`. */
export interface PipeOptions extends StepOptions {
  /**
   * True lets the operators keep state: one chain lives as long as the task and sees all its records, whatever their key. The state is in
   * memory only and is lost, or ahead of what was committed, after a restart, an abort or a move of the task. Default false: each value
   * goes through a chain of its own, so there is nothing to lose.
   */
  readonly volatile?: boolean
}
