import type { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { CogroupAdder, CogroupedKStream } from './cogrouped-k-stream.ts'
import type { Collector } from './collectors.ts'
import type { Fluent } from './fluent.ts'
import type { KTable } from './k-table.ts'
import { aggregate } from './operators/aggregate.ts'
import { cogroup } from './operators/cogroup.ts'
import { collect } from './operators/collect.ts'
import { count } from './operators/count.ts'
import type { GroupedPoint } from './operators/group-by-key.ts'
import { reduce } from './operators/reduce.ts'
import { windowedBy } from './operators/windowed-by.ts'
import type { AggregateOptions, OptionsArgument, Slot, ValueSerde, WindowedByOptions } from './options.ts'
import type { SessionWindowedKStream } from './session-windowed-k-stream.ts'
import type { TimeWindowedKStream } from './time-windowed-k-stream.ts'

/**
 * A stream grouped by key: what it can become is a table, one result per key, or, divided into windows, one per key and window.
 * Records with a null key are dropped and counted, and so are those with a null value as long as there are no windows.
 */
export class KGroupedStream<K, V, Known extends Slot = Slot> {
  readonly #grouped: GroupedPoint
  readonly #fluent: Fluent

  constructor(grouped: GroupedPoint, fluent: Fluent) {
    this.#grouped = grouped
    this.#fluent = fluent
  }

  /** Where a grouped stream stands among the steps. */
  static pointOf<K, V, Known extends Slot>(grouped: KGroupedStream<K, V, Known>): GroupedPoint {
    return grouped.#grouped
  }

  /** Divides each key's records into windows of event time: {@link tumbling}, {@link hopping}, {@link sliding}, {@link unlimited}, {@link sessions}. */
  windowedBy(
    window: TimeWindows | SlidingWindows | UnlimitedWindows,
    options?: WindowedByOptions<K, V>
  ): TimeWindowedKStream<K, V, Known>
  windowedBy(window: SessionWindows, options?: WindowedByOptions<K, V>): SessionWindowedKStream<K, V, Known>
  windowedBy(
    window: TimeWindows | SlidingWindows | UnlimitedWindows | SessionWindows,
    { onLate }: WindowedByOptions<K, V> = {}
  ): TimeWindowedKStream<K, V, Known> | SessionWindowedKStream<K, V, Known> {
    const on = windowedBy(this.#grouped, window, onLate)
    return window.kind === 'session' ? this.#fluent.sessions(on) : this.#fluent.windowed(on)
  }

  /** The number of records per key. Written as Kafka's Long. */
  count(options: AggregateOptions = {}): KTable<K, number> {
    return this.#fluent.table(count(this.#grouped, options))
  }

  /**
   * A ready-made aggregation per key: `first last min max average topN distinct`.
   *
   * @example
   * purchases.groupByKey().collect(average((purchase) => purchase.price))
   */
  collect<R>(
    collector: Collector<NonNullable<V>, R>,
    options: AggregateOptions & { readonly value?: Serde<V> } = {}
  ): KTable<K, R> {
    return this.#fluent.table(collect(this.#grouped, collector, options))
  }

  /**
   * Combines the values of a key two by two: the first begins as it is, then `reducer` gets the new value, the result so far and the
   * record. Null deletes the key.
   */
  reduce(
    reducer: (value: NonNullable<V>, reduced: NonNullable<V>, record: StreamRecord<K, NonNullable<V>>) => V,
    ...[options]: OptionsArgument<Exclude<'value', Known>, AggregateOptions & ValueSerde<V, Exclude<'value', Known>>>
  ): KTable<K, V> {
    return this.#fluent.table(reduce(this.#grouped, reducer, options ?? {}))
  }

  /**
   * Folds the values of a key into an aggregate of another type, kept as `options.value` writes it. `initial` makes the aggregate of a key
   * without one; `adder` gets the new value, the aggregate so far and the record. Null deletes the key.
   */
  aggregate<A>(
    initial: () => A,
    adder: (value: NonNullable<V>, aggregate: NonNullable<A>, record: StreamRecord<K, NonNullable<V>>) => A,
    options: AggregateOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<K, A> {
    return this.#fluent.table(aggregate(this.#grouped, { initial, adder }, options))
  }

  /** Begins an aggregate over several streams grouped by the same key: `adder` folds this one's values into it. */
  cogroup<A>(adder: CogroupAdder<K, V, A>): CogroupedKStream<K, A> {
    return this.#fluent.cogrouped(cogroup({ inputs: [] }, this.#grouped, adder))
  }
}
