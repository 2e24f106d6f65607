import type { TableRow } from '../graph/table-node.ts'
import type { Serde } from '../serde/serde.ts'
import type { Fluent } from './fluent.ts'
import type { KTable } from './k-table.ts'
import type { GroupedPoint } from './operators/group-by-key.ts'
import { tableAggregate, tableCount, tableReduce } from './operators/table-aggregation.ts'
import type { TableAggregateOptions } from './table-options.ts'

/**
 * A table grouped by a new key. Every change of a row takes out what the row was and puts in what it is, so an aggregation needs both: an
 * adder and a subtractor that undoes it.
 */
export class KGroupedTable<K, V> {
  readonly #grouped: GroupedPoint
  readonly #fluent: Fluent

  constructor(grouped: GroupedPoint, fluent: Fluent) {
    this.#grouped = grouped
    this.#fluent = fluent
  }

  /** The number of rows per key; 0 once they are all gone. Written as Kafka's Long. */
  count(options: TableAggregateOptions = {}): KTable<K, number> {
    return this.#fluent.table(tableCount(this.#grouped, options))
  }

  /**
   * Combines the rows of a key: the first begins as it is, then `adder` and `subtractor` get the row's value, the result so far and the key.
   * Null deletes the key.
   */
  reduce(
    adder: (value: NonNullable<V>, reduced: NonNullable<V>, row: TableRow<K>) => V,
    subtractor: (value: NonNullable<V>, reduced: NonNullable<V>, row: TableRow<K>) => V,
    options: TableAggregateOptions = {}
  ): KTable<K, V> {
    return this.#fluent.table(tableReduce(this.#grouped, { adder: adder, subtractor: subtractor }, options))
  }

  /** Folds the rows of a key into an aggregate of another type, kept as `options.value` writes it. Null deletes the key. */
  aggregate<A>(
    fold: {
      /** Makes the aggregate of a key without one. */
      readonly initial: () => A
      readonly adder: (value: NonNullable<V>, aggregate: NonNullable<A>, row: TableRow<K>) => A
      readonly subtractor: (value: NonNullable<V>, aggregate: NonNullable<A>, row: TableRow<K>) => A
    },
    options: TableAggregateOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<K, A> {
    const { initial, adder, subtractor } = fold
    return this.#fluent.table(tableAggregate(this.#grouped, { initial, adder: adder, subtractor: subtractor }, options))
  }
}
