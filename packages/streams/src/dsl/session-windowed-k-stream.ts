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
 * A grouped stream in sessions: it becomes a table of one result per key and session. A record that joins sessions replaces them by one: each of
 * them is deleted from the table, then the new one is put in. Records with a null key are dropped and counted, and so are those that come too late
 * for their session; records with a null value take part.
 */
export class SessionWindowedKStream<K, V, Known extends Slot = Slot> {
  readonly #windowed: WindowedPoint
  readonly #fluent: Fluent

  constructor(windowed: WindowedPoint, fluent: Fluent) {
    this.#windowed = windowed
    this.#fluent = fluent
  }

  /** The number of records per key and session. Written as Kafka's Long. */
  count(options: WindowedAggregateOptions = {}): KTable<Windowed<K>, number> {
    return this.#fluent.table(count(this.#windowed, options))
  }

  /**
   * A ready-made aggregation per key and session: `first last min max average topN distinct`.
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
   * Combines the values of a key and session two by two: the first begins as it is, then `reducer` gets the new value, the result so far
   * and the record; sessions that become one are combined by it too. Null deletes the session's result.
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
   * Folds the values of a key and session into an aggregate of another type, kept as `options.value` writes it. `merger` makes one aggregate of
   * two: with every record, the sessions it joins are merged, oldest first, into what `initial` makes; then `adder` gets the new value, the
   * aggregate so far and the record. Null deletes the session's result.
   */
  aggregate<A>(
    initial: () => A,
    adder: (value: V, aggregate: NonNullable<A>, record: StreamRecord<K, V>) => A,
    merger: (left: NonNullable<A>, right: NonNullable<A>, record: StreamRecord<K, V>) => A,
    options: WindowedAggregateOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<Windowed<K>, A> {
    return this.#fluent.table(aggregate(this.#windowed, { initial, adder, merger }, options))
  }
}
