import { UsageError } from '@millrace/log'
import { storeOf } from '../graph/step.ts'
import type { Callback, JoinCallback, StreamFunction, TableCallback } from './callback.ts'
import type { Point } from './draft.ts'
import type { Fluent } from './fluent.ts'
import type { ForeignKeyJoinOptions, ForeignKeySerdes, KnownAfterJoin } from './join-options.ts'
import type { KGroupedTable } from './k-grouped-table.ts'
import type { KStream } from './k-stream.ts'
import { type ForeignKeyJoinStep, foreignKeyJoin } from './operators/foreign-key-join.ts'
import { selectKey } from './operators/select-key.ts'
import { suppress } from './operators/suppress.ts'
import { tableFilter } from './operators/table-filter.ts'
import { tableGroupBy } from './operators/table-group-by.ts'
import { tableJoin } from './operators/table-join.ts'
import { tableMapValues } from './operators/table-map-values.ts'
import { type AnyTransformer, tableTransformValues } from './operators/table-transform-values.ts'
import { toStream } from './operators/to-stream.ts'
import type { GivenKey, GivenValue, OptionsArgument, Slot, StepOptions, TextKey, ValueSerde } from './options.ts'
import type { StoreHandles } from './process-types.ts'
import type { Suppressed, SuppressOptions } from './suppress-until.ts'
import type { JoinFunction, KeptResultOptions, KeptStepOptions, TableFunction } from './table-options.ts'
import type { TransformValuesContext, TransformValuesOptions, ValueTransformerOf } from './transform-types.ts'

/**
 * A table: the latest value of every key, and its changes. `V` includes null where rows may be deleted, which is what `toStream()` then shows;
 * functions never see it. `Known` is which serdes the table knows.
 */
export class KTable<K, V, Known extends Slot = Slot> {
  readonly #point: Point
  readonly #fluent: Fluent

  constructor(point: Point, fluent: Fluent) {
    this.#point = point
    this.#fluent = fluent
  }

  /** Where a table stands among the steps; undefined for what is no table. */
  static pointOf(table: unknown): Point | undefined {
    return table instanceof KTable ? table.#point : undefined
  }

  /** Keeps the rows for which `predicate` is true; a row that no longer passes is deleted below. */
  filter(
    predicate: TableFunction<K, V, boolean>,
    options: StepOptions & KeptStepOptions = {}
  ): KTable<K, V | null, Known> {
    return this.#fluent.table(tableFilter(this.#point, { fn: predicate, not: false }, options))
  }

  /** Keeps the rows for which `predicate` is false. */
  filterNot(
    predicate: TableFunction<K, V, boolean>,
    options: StepOptions & KeptStepOptions = {}
  ): KTable<K, V | null, Known> {
    return this.#fluent.table(tableFilter(this.#point, { fn: predicate, not: true }, options))
  }

  /** Replaces each value; null deletes the row. Without `store` it is computed again where the table is read. */
  mapValues<V2>(
    mapper: TableFunction<K, V, V2>,
    options: StepOptions & KeptStepOptions & GivenValue<V2>
  ): KTable<K, V2 | Extract<V, null>, Known | 'value'>
  mapValues<V2>(
    mapper: TableFunction<K, V, V2>,
    options?: StepOptions
  ): KTable<K, V2 | Extract<V, null>, Exclude<Known, 'value'>>
  mapValues<V2>(
    mapper: TableFunction<K, V, V2>,
    options: StepOptions & KeptStepOptions & Partial<GivenValue<V2>> = {}
  ): unknown {
    return this.#fluent.table(tableMapValues(this.#point, mapper, options))
  }

  /**
   * Replaces each value by what `transformer` makes of it and of its stores; it is shown deletions too, as null, and has the clocks of a processor. Kept
   * under `store`, the result is what was computed when the row changed; else it is computed again for what the row was and where it is read.
   *
   * @example
   * const limits = b.globalStore('limits', 'limits', { key: string(), value: long() })
   * accounts.transformValues((balance, { key }, context) => Math.min(balance ?? 0, context.store('limits').get(key) ?? 0), {
   *   stores: [limits], value: long()
   * })
   */
  transformValues<V2, const S extends StoreHandles = readonly []>(
    transformer: ValueTransformerOf<K, V, V2, TransformValuesContext<S>>,
    options: TransformValuesOptions<S> & KeptStepOptions & GivenValue<V2>
  ): KTable<K, V2, Known | 'value'>
  transformValues<V2, const S extends StoreHandles = readonly []>(
    transformer: ValueTransformerOf<K, V, V2, TransformValuesContext<S>>,
    options?: TransformValuesOptions<S>
  ): KTable<K, V2, Exclude<Known, 'value'>>
  transformValues(transformer: AnyTransformer, options: Parameters<typeof tableTransformValues>[2] = {}): unknown {
    return this.#fluent.table(tableTransformValues(this.#point, transformer, options))
  }

  /** The table's updates as a stream: each new value, null for a deleted key; with a `mapper`, which gets null then too, under new keys. */
  toStream<K2>(mapper: StreamFunction<K, V, K2>, options: StepOptions & GivenKey<K2>): KStream<K2, V, Known | 'key'>
  toStream<K2>(
    mapper: StreamFunction<K, V, K2>,
    options?: StepOptions
  ): KStream<K2, V, Exclude<Known, 'key'> | TextKey<K2>>
  toStream(options?: StepOptions): KStream<K, V, Known>
  toStream(
    first: Callback<unknown> | StepOptions = {},
    options: StepOptions & Partial<GivenKey<unknown>> = {}
  ): unknown {
    if (typeof first === 'object') return this.#fluent.stream(toStream(this.#point, first))
    return this.#fluent.stream(selectKey(toStream(this.#point, {}), first, options))
  }

  /** The name under which the table is queried; undefined: it is not, since no step named its store. */
  queryableStoreName(): string | undefined {
    return storeOf(this.#point.step)?.name
  }

  /**
   * Holds updates back, the last of each key: until its window closes, or for some stream time. What is due goes on with the record that made it
   * so, before what is below gets to see anything else.
   */
  suppress(until: Suppressed, options: SuppressOptions<K, V> = {}): KTable<K, V, Known> {
    return this.#fluent.table(suppress(this.#point, until, options))
  }

  /** Groups the rows by a new key, to aggregate them; always through a repartition. A null key leaves the row out. */
  groupBy<K2 extends string | null>(
    mapper: TableFunction<K, V, K2>,
    ...options: OptionsArgument<
      Exclude<'value', Known>,
      StepOptions & Partial<GivenKey<K2>> & ValueSerde<V, Exclude<'value', Known>>
    >
  ): KGroupedTable<NonNullable<K2>, V>
  groupBy<K2>(
    mapper: TableFunction<K, V, K2>,
    options: StepOptions & GivenKey<K2> & ValueSerde<V, Exclude<'value', Known>>
  ): KGroupedTable<NonNullable<K2>, V>
  groupBy(mapper: TableFunction<K, V, unknown>, options: object = {}): unknown {
    return this.#fluent.groupedTable(tableGroupBy(this.#point, mapper, options))
  }

  /**
   * Rows of this table with the row of another that their values name, by `foreignKey`. Every change of either side gives its results, over two
   * internal topics; results of different rows may come in another order than their causes.
   */
  join<K2, V2, R, Known2 extends Slot, O extends ForeignKeyJoinOptions<K, V, K2, R>>(
    other: KTable<K2, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2>, R>,
    options: O & ForeignKeySerdes<V, V2, Known, Known2>
  ): KTable<K, R | null, KnownAfterJoin<Slot, O>>
  /** Rows that both tables have. Either side's change gives a new result; the tables need the same number of partitions. */
  join<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2>, R>,
    options: KeptResultOptions<R>
  ): KTable<K, R | null, Known | 'value'>
  join<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2>, R>,
    options?: StepOptions
  ): KTable<K, R | null, Exclude<Known, 'value'>>
  join(other: unknown, joiner: JoinFunction<K, never, never, unknown>, options: object = {}): unknown {
    return this.#join(other, { join: 'inner', fn: joiner }, options)
  }

  /** Rows of this table, with the other's value or null. */
  leftJoin<K2, V2, R, Known2 extends Slot, O extends ForeignKeyJoinOptions<K, V, K2, R>>(
    other: KTable<K2, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2> | null, R>,
    options: O & ForeignKeySerdes<V, V2, Known, Known2>
  ): KTable<K, R | null, KnownAfterJoin<Slot, O>>
  leftJoin<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2> | null, R>,
    options: KeptResultOptions<R>
  ): KTable<K, R | null, Known | 'value'>
  leftJoin<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V>, NonNullable<V2> | null, R>,
    options?: StepOptions
  ): KTable<K, R | null, Exclude<Known, 'value'>>
  leftJoin(other: unknown, joiner: JoinFunction<K, never, never, unknown>, options: object = {}): unknown {
    return this.#join(other, { join: 'left', fn: joiner }, options)
  }

  /** Rows that either table has; the side that is missing is null. */
  outerJoin<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V> | null, NonNullable<V2> | null, R>,
    options: KeptResultOptions<R>
  ): KTable<K, R | null, Known | 'value'>
  outerJoin<V2, R, Known2 extends Slot>(
    other: KTable<K, V2, Known2>,
    joiner: JoinFunction<K, NonNullable<V> | null, NonNullable<V2> | null, R>,
    options?: StepOptions
  ): KTable<K, R | null, Exclude<Known, 'value'>>
  outerJoin(other: unknown, joiner: JoinFunction<K, never, never, unknown>, options: object = {}): unknown {
    return this.#join(other, { join: 'outer', fn: joiner }, options)
  }

  #join(
    other: unknown,
    made: { readonly join: 'inner' | 'left' | 'outer'; readonly fn: JoinCallback },
    options: object
  ): unknown {
    const right = KTable.pointOf(other)
    if (right === undefined) throw new UsageError('a table is joined with a table: toTable() makes one of a stream')
    const { join, fn } = made
    if (join !== 'outer' && isForeignKeyJoin(options)) {
      const { foreignKey, ...rest } = options
      return this.#fluent.table(foreignKeyJoin([this.#point, right], { join, fn, foreignKey }, rest))
    }
    return this.#fluent.table(tableJoin([this.#point, right], made, options))
  }
}

function isForeignKeyJoin(
  options: object
): options is ForeignKeyJoinStep & { readonly foreignKey: TableCallback<unknown> } {
  return 'foreignKey' in options && options.foreignKey !== undefined
}
