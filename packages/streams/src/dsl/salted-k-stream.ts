import type { TimeWindows } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { Fluent } from './fluent.ts'
import type { KTable } from './k-table.ts'
import { type SaltedPoint, saltedAggregate, saltedCount, saltedReduce, saltedWindows } from './operators/salted.ts'
import type { Slot, ValueSerde } from './options.ts'
import type { Commutative, SaltedAggregateOptions, SaltedWindowedOptions } from './salt-options.ts'

/**
 * A stream grouped by key with `salt`: each key's records are spread over several places, which combine them until the commit. The tables are those
 * of the grouping without salt, but for the order in which values are combined; so it offers what does not depend on it. Null keys are dropped
 * and counted, and so are null values as long as there are no windows.
 */
export class SaltedKStream<K, V, Known extends Slot = Slot> {
  readonly #salted: SaltedPoint
  readonly #fluent: Fluent

  constructor(salted: SaltedPoint, fluent: Fluent) {
    this.#salted = salted
    this.#fluent = fluent
  }

  /**
   * Divides each key's records into windows: {@link tumbling} or {@link hopping}. A record is late by the time of the place it comes to, which is never
   * ahead of the time without salt.
   */
  windowedBy(window: TimeWindows): SaltedWindowedKStream<K, V, Known> {
    return this.#fluent.saltedWindows(saltedWindows(this.#salted, window))
  }

  /** The number of records per key. Written as Kafka's Long. */
  count(options: SaltedAggregateOptions = {}): KTable<K, number> {
    return this.#fluent.table(saltedCount(this.#salted, options))
  }

  /** Combines the values of a key two by two, in any order and grouping: `fn(fn(a, b), c)` must be `fn(a, fn(c, b))`. Null is refused. */
  reduce(
    reducer: (value: NonNullable<V>, reduced: NonNullable<V>) => NonNullable<V>,
    options: SaltedAggregateOptions & Commutative & ValueSerde<V, Exclude<'value', Known>>
  ): KTable<K, NonNullable<V>> {
    return this.#fluent.table(saltedReduce(this.#salted, reducer, options))
  }

  /**
   * Folds the values of a key into an aggregate of another type, in each place by itself, from `initial()` on; `merger` makes one aggregate of two
   * places'. Null is refused.
   */
  aggregate<A>(
    initial: () => A,
    adder: (value: NonNullable<V>, aggregate: NonNullable<A>, record: StreamRecord<unknown, NonNullable<V>>) => A,
    merger: (left: NonNullable<A>, right: NonNullable<A>) => A,
    options: SaltedAggregateOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<K, NonNullable<A>> {
    return this.#fluent.table(saltedAggregate(this.#salted, { initial, adder, merger }, options))
  }
}

/** A salted grouping in windows. Null values take part. */
export class SaltedWindowedKStream<K, V, Known extends Slot = Slot> {
  readonly #salted: SaltedPoint
  readonly #fluent: Fluent

  constructor(salted: SaltedPoint, fluent: Fluent) {
    this.#salted = salted
    this.#fluent = fluent
  }

  /** The number of records per key and window. Written as Kafka's Long. */
  count(options: SaltedWindowedOptions = {}): KTable<Windowed<K>, number> {
    return this.#fluent.table(saltedCount(this.#salted, options))
  }

  /** Combines the values of a key and window two by two, in any order and grouping. Null is refused. */
  reduce(
    reducer: (value: NonNullable<V>, reduced: NonNullable<V>) => NonNullable<V>,
    options: SaltedWindowedOptions & Commutative & ValueSerde<V, Exclude<'value', Known>>
  ): KTable<Windowed<K>, NonNullable<V>> {
    return this.#fluent.table(saltedReduce(this.#salted, reducer, options))
  }

  /** Folds the values of a key and window, in each place by itself; `merger` makes one aggregate of two places'. Null is refused. */
  aggregate<A>(
    initial: () => A,
    adder: (value: V, aggregate: NonNullable<A>, record: StreamRecord<unknown, V>) => A,
    merger: (left: NonNullable<A>, right: NonNullable<A>) => A,
    options: SaltedWindowedOptions & { readonly value: Serde<NoInfer<A>> }
  ): KTable<Windowed<K>, NonNullable<A>> {
    return this.#fluent.table(saltedAggregate(this.#salted, { initial, adder, merger }, options))
  }
}
