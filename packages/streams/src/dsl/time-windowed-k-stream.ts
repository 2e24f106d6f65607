import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { Collector } from './collectors.ts'
import type { Fluent } from './fluent.ts'
import type { KTable } from './k-table.ts'
import { aggregate } from './operators/aggregate.ts'
import { collect } from './operators/collect.ts'
import { count } from './operators/count.ts'
import { reduce } from './operators/reduce.ts'
import type { WindowedPoint } from './operators/windowed-by.ts'
import type { OptionsArgument, Slot, ValueSerde, WindowedAggregateOptions } from './options.ts'

/**
 * A grouped stream in windows: it becomes a table of one result per key and window. Records with a null key are dropped and counted,
 * and so are those that come to a window after its grace; records with a null value take part, except in sliding windows.
 */
export class TimeWindowedKStream<K, V, Known extends Slot = Slot> {
  readonly #windowed: WindowedPoint
  readonly #fluent: Fluent

  constructor(windowed: WindowedPoint, fluent: Fluent) {
    this.#windowed = windowed
    this.#fluent = fluent
  }

  /** The number of records per key and window. Written as Kafka's Long. */
  count(options: WindowedAggregateOptions = {}): KTable<Windowed<K>, number> {
    return this.#fluent.table(count(this.#windowed, options))
  }

  /**
   * A ready-made aggregation per key and window: `first last min max average topN distinct`.
   *
   * @example
   * windows.collect(average((purchase) => purchase.price))
   */
  collect<R>(
    collector: Collector<NonNullable<V>, R>,
    options: WindowedAggregateOptions & { readonly value?: Serde<V> } = {}
  ): KTable<Windowed<K>, R> {
    return this.#fluent.table(collect(this.#windowed, collector, options))
  }

  /**
   * Combines the values of a key and window two by two: the first begins as it is, then `reducer` gets the new value, the result so far
   * and the record. Null deletes the window's result.
   */
  reduce(
    reducer: (value: V, reduced: NonNullable<V>, record: StreamRecord<K, V>) => V,
    ...[options]: OptionsArgument<
      Exclude<'value', Known>,
      WindowedAggregateOptions & ValueSerde<V, Exclude<'value', Known>>
    >
  ): KTable<Windowed<K>, V> {
    return this.#fluent.table(reduce(this.#windowed, reducer, options ?? {}))
  }

  /**
   * Folds the values of a key and window into an aggregate of another type, kept as `options.value` writes it. `initial` makes the aggregate
   * of a window without one; `adder` gets the new value, the aggregate so far and the record. Null deletes the window's result.
   */
  aggregate<A>(
    initial: () => A,
    adder: (value: V, aggregate: NonNullable<A>, record: StreamRecord<K, V>) => A,
    options: WindowedAggregateOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<Windowed<K>, A> {
    return this.#fluent.table(aggregate(this.#windowed, { initial, adder }, options))
  }
}
