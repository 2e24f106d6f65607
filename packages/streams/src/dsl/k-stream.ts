import { UsageError } from '@millrace/log'
import type { DurableOperator, WrittenAs } from '../graph/durable-operator.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Callback, JoinCallback, StreamFunction } from './callback.ts'
import type { Point } from './draft.ts'
import type { Fluent } from './fluent.ts'
import type { GroupByKeyMethod, GroupByMethod } from './group-methods.ts'
import { GlobalKTable } from './k-global-table.ts'
import { KTable } from './k-table.ts'
import type { AsyncFunction, MapAsyncOptions, OrderedKey } from './map-async-options.ts'
import { filter } from './operators/filter.ts'
import { filterNot } from './operators/filter-not.ts'
import { flatMap } from './operators/flat-map.ts'
import { flatMapValues } from './operators/flat-map-values.ts'
import { forEach } from './operators/for-each.ts'
import { groupBy } from './operators/group-by.ts'
import { groupByKey } from './operators/group-by-key.ts'
import { type JoinedWith, joinStream } from './operators/join-stream.ts'
import { map } from './operators/map.ts'
import { mapAsync } from './operators/map-async.ts'
import { mapValues } from './operators/map-values.ts'
import { merge } from './operators/merge.ts'
import { peek } from './operators/peek.ts'
import { type Operator, pipe } from './operators/pipe.ts'
import { print } from './operators/print.ts'
import { process } from './operators/process.ts'
import { processValues } from './operators/process-values.ts'
import { repartition } from './operators/repartition.ts'
import { rx } from './operators/rx.ts'
import { saltedGrouping } from './operators/salted.ts'
import { selectKey } from './operators/select-key.ts'
import { split } from './operators/split.ts'
import { to } from './operators/to.ts'
import { toTable } from './operators/to-table.ts'
import type {
  GivenKey,
  GivenValue,
  OptionsArgument,
  PipeOptions,
  PrintOptions,
  RepartitionOptions,
  SerdeOptions,
  SinkOptions,
  Slot,
  StepOptions,
  TextKey
} from './options.ts'
import type { PipeMethod } from './pipe-method.ts'
import type { ProcessMethod, ProcessValuesMethod } from './process-method.ts'
import type { RxOptions } from './rx-options.ts'
import type { SaltOption } from './salt-options.ts'
import type { SplitMethod } from './split-method.ts'
import type { StreamJoinMethod, StreamLeftJoinMethod, StreamOuterJoinMethod } from './stream-join-methods.ts'
import type { StreamTableOptions } from './table-options.ts'

type SerdesGiven = StepOptions & { readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }

type PipeArguments = readonly (Operator | (PipeOptions & Partial<GivenValue<unknown>>))[]

type JoinArguments = readonly [other: unknown, joiner: JoinCallback, options?: object]

type ProcessArguments<F extends (point: Point, ...rest: never) => Point> = F extends (
  point: Point,
  processor: infer P,
  options: infer O
) => Point
  ? [processor: P, options?: O]
  : never

/**
 * A stream of records with keys `K` and values `V`. Callbacks get the value first, then the record (`key timestamp headers topic partition
 * offset`). `Known` is which serdes the stream knows: a step that changes the type of keys or values forgets one unless it is given another,
 * and a step that has to write asks for what is missing.
 *
 * One method an operator, each in `operators/`.
 */
export class KStream<K, V, Known extends Slot = Slot> {
  readonly #point: Point
  readonly #fluent: Fluent

  constructor(point: Point, fluent: Fluent) {
    this.#point = point
    this.#fluent = fluent
  }

  /** Where a stream stands among the steps; undefined for what is no stream. */
  static pointOf(stream: unknown): Point | undefined {
    return stream instanceof KStream ? stream.#point : undefined
  }

  /** Keeps the records for which `predicate` is true. */
  filter<S extends V>(
    predicate: (value: V, record: StreamRecord<K, V>) => value is S,
    options?: StepOptions
  ): KStream<K, S, Known>
  filter(predicate: StreamFunction<K, V, boolean>, options?: StepOptions): KStream<K, V, Known>
  filter(predicate: StreamFunction<K, V, boolean>, options: StepOptions = {}): KStream<K, V, Known> {
    return this.#fluent.stream(filter(this.#point, predicate, options))
  }

  /** Drops the records for which `predicate` is true. */
  filterNot(predicate: StreamFunction<K, V, boolean>, options: StepOptions = {}): KStream<K, V, Known> {
    return this.#fluent.stream(filterNot(this.#point, predicate, options))
  }

  /** Replaces each value. The key stays, so nothing is repartitioned for it. */
  mapValues<V2>(
    mapper: StreamFunction<K, V, V2>,
    options: StepOptions & GivenValue<V2>
  ): KStream<K, V2, Known | 'value'>
  mapValues<V2>(mapper: StreamFunction<K, V, V2>, options?: StepOptions): KStream<K, V2, Exclude<Known, 'value'>>
  mapValues<V2>(mapper: StreamFunction<K, V, V2>, options: StepOptions & Partial<GivenValue<V2>> = {}): unknown {
    return this.#fluent.stream(mapValues(this.#point, mapper, options))
  }

  /**
   * As `mapValues`, by a function that takes its time: a call of a service, a query. Many calls are under way at once, results keep the order of their
   * partition or of their key, and a commit covers a record only with its result. After a crash the function is called again for what was not committed.
   *
   * @example
   * clicks.mapAsync((click, _record, { signal }) => lookUp(click.ip, { signal }), { order: 'key', concurrency: 64, timeout: '2s' })
   */
  mapAsync<V2>(
    fn: AsyncFunction<K, V, V2>,
    options: MapAsyncOptions & OrderedKey<K, Known> & GivenValue<V2>
  ): KStream<K, V2, Known | 'value'>
  mapAsync<V2>(
    fn: AsyncFunction<K, V, V2>,
    options?: MapAsyncOptions & OrderedKey<K, Known>
  ): KStream<K, V2, Exclude<Known, 'value'>>
  mapAsync<V2>(
    fn: AsyncFunction<K, V, V2>,
    options: MapAsyncOptions & Partial<GivenKey<K> & GivenValue<V2>> = {}
  ): unknown {
    return this.#fluent.stream(mapAsync(this.#point, fn, options))
  }

  /** Replaces each value by any number of values, each in a record of its own. */
  flatMapValues<V2>(
    mapper: StreamFunction<K, V, Iterable<V2>>,
    options: StepOptions & GivenValue<V2>
  ): KStream<K, V2, Known | 'value'>
  flatMapValues<V2>(
    mapper: StreamFunction<K, V, Iterable<V2>>,
    options?: StepOptions
  ): KStream<K, V2, Exclude<Known, 'value'>>
  flatMapValues<V2>(
    mapper: StreamFunction<K, V, Iterable<V2>>,
    options: StepOptions & Partial<GivenValue<V2>> = {}
  ): unknown {
    return this.#fluent.stream(flatMapValues(this.#point, mapper, options))
  }

  /** Replaces key and value. The next key-based step repartitions: prefer `mapValues` where the key stays. */
  map<K2, V2>(
    mapper: StreamFunction<K, V, readonly [K2, V2]>,
    options: StepOptions & GivenKey<K2> & GivenValue<V2>
  ): KStream<K2, V2>
  map<K2, V2>(
    mapper: StreamFunction<K, V, readonly [K2, V2]>,
    options: StepOptions & GivenValue<V2>
  ): KStream<K2, V2, TextKey<K2> | 'value'>
  map<K2, V2>(
    mapper: StreamFunction<K, V, readonly [K2, V2]>,
    options: StepOptions & GivenKey<K2>
  ): KStream<K2, V2, 'key'>
  map<K2, V2>(mapper: StreamFunction<K, V, readonly [K2, V2]>, options?: StepOptions): KStream<K2, V2, TextKey<K2>>
  map<K2, V2>(
    mapper: StreamFunction<K, V, readonly [K2, V2]>,
    options: StepOptions & Partial<GivenKey<K2> & GivenValue<V2>> = {}
  ): unknown {
    return this.#fluent.stream(map(this.#point, mapper, options))
  }

  /** Replaces each record by any number of records, given as key and value. The next key-based step repartitions. */
  flatMap<K2, V2>(
    mapper: StreamFunction<K, V, Iterable<readonly [K2, V2]>>,
    options: StepOptions & GivenKey<K2> & GivenValue<V2>
  ): KStream<K2, V2>
  flatMap<K2, V2>(
    mapper: StreamFunction<K, V, Iterable<readonly [K2, V2]>>,
    options: StepOptions & GivenValue<V2>
  ): KStream<K2, V2, TextKey<K2> | 'value'>
  flatMap<K2, V2>(
    mapper: StreamFunction<K, V, Iterable<readonly [K2, V2]>>,
    options: StepOptions & GivenKey<K2>
  ): KStream<K2, V2, 'key'>
  flatMap<K2, V2>(
    mapper: StreamFunction<K, V, Iterable<readonly [K2, V2]>>,
    options?: StepOptions
  ): KStream<K2, V2, TextKey<K2>>
  flatMap<K2, V2>(
    mapper: StreamFunction<K, V, Iterable<readonly [K2, V2]>>,
    options: StepOptions & Partial<GivenKey<K2> & GivenValue<V2>> = {}
  ): unknown {
    return this.#fluent.stream(flatMap(this.#point, mapper, options))
  }

  /** Gives each record a new key. Nothing moves yet: the next key-based step repartitions. */
  selectKey<K2>(mapper: StreamFunction<K, V, K2>, options: StepOptions & GivenKey<K2>): KStream<K2, V, Known | 'key'>
  selectKey<K2>(
    mapper: StreamFunction<K, V, K2>,
    options?: StepOptions
  ): KStream<K2, V, Exclude<Known, 'key'> | TextKey<K2>>
  selectKey<K2>(mapper: StreamFunction<K, V, K2>, options: StepOptions & Partial<GivenKey<K2>> = {}): unknown {
    return this.#fluent.stream(selectKey(this.#point, mapper, options))
  }

  /** Shows each record to `observer` and passes it on. After a crash it sees again what is processed again. */
  peek(observer: StreamFunction<K, V, void>, options: StepOptions = {}): KStream<K, V, Known> {
    return this.#fluent.stream(peek(this.#point, observer, options))
  }

  /** Shows each record to `action`, and ends there. After a crash it sees again what is processed again. */
  forEach(action: StreamFunction<K, V, void>, options: StepOptions = {}): void {
    forEach(this.#point, action, options)
  }

  /** Prints each record, a line each, and ends there: to look at a stream while a program is written. */
  print(options: PrintOptions<K, V> = {}): void {
    print(this.#point, options)
  }

  /**
   * Sends each value through RxJS operators that emit synchronously; key, timestamp and headers follow. Each value is a stream of its own
   * to them, so that they have no state to lose, unless the options, last, say `{ volatile: true }`.
   *
   * @example
   * clicks.pipe(map((click) => click.page), filter((page) => page !== ''), { value: string() })
   */
  readonly pipe = ((...given: PipeArguments) => {
    const last = given.at(-1)
    const options = typeof last === 'object' ? last : {}
    const operators = given.filter((argument) => typeof argument === 'function')
    return this.#fluent.stream(pipe(this.#point, operators, options))
  }) as PipeMethod<K, V, Known>

  /**
   * Sends each key's values through a durable RxJS operator of `@millrace/streams/rx`: its state is per key, in a store of its own, and its time is stream
   * time. Repartitions first if the key was changed before. Null keys are dropped.
   *
   * @example
   * clicks.rx(debounceTime('5s')).rx(scan((sum, click) => sum + click.price, 0, { value: number() }))
   */
  rx<R>(
    operator: DurableOperator<V, R>,
    options: RxOptions<K, V, Exclude<Slot, Known>> & GivenValue<R>
  ): KStream<NonNullable<K>, R>
  rx<R, W extends WrittenAs>(
    operator: DurableOperator<V, R, W>,
    ...options: OptionsArgument<Exclude<Slot, Known>, RxOptions<K, V, Exclude<Slot, Known>>>
  ): KStream<NonNullable<K>, R, W extends 'anew' ? 'key' : Slot>
  rx(operator: DurableOperator<never, unknown>, options: Parameters<typeof rx>[2] = {}): unknown {
    return this.#fluent.stream(rx(this.#point, operator, options))
  }

  /** The records of both streams, each in its own order and in none between them. */
  merge<Known2 extends Slot>(other: KStream<K, V, Known2>, options: StepOptions = {}): KStream<K, V, Known | Known2> {
    if (!(other instanceof KStream))
      throw new UsageError('merge: a stream is merged with a stream of the same topology')
    return this.#fluent.stream(merge(this.#point, other.#point, options))
  }

  /**
   * Parts the stream: each record goes to the first branch whose predicate is true, in the order they are written, else to the branch called
   * `default`, or nowhere. A predicate that is a type guard narrows its branch.
   *
   * @example
   * const { bots, rest } = clicks.split({ bots: (click) => click.agent === 'bot' }, { default: 'rest' })
   */
  readonly split = ((branches: Parameters<typeof split>[1], options: Parameters<typeof split>[2] = {}) => {
    const points = split(this.#point, branches, options)
    return Object.fromEntries([...points].map(([branch, point]) => [branch, this.#fluent.stream(point)]))
  }) as SplitMethod<K, V, Known>

  /**
   * A processor of the program's own: stores, punctuation, any number of records forwarded. Nothing is repartitioned before it; its keys count as
   * changed.
   *
   * @example
   * const counts = b.store('counts', { key: string(), value: long() })
   * clicks.process((record, context) => {
   *   const count = (context.store('counts').get(record.key) ?? 0) + 1
   *   context.store('counts').put(record.key, count)
   *   context.forward(record.key, count)
   * }, { stores: [counts], value: long() })
   */
  readonly process = ((...[processor, options = {}]: ProcessArguments<typeof process>) =>
    this.#fluent.stream(process(this.#point, processor, options))) as ProcessMethod<K, V, Known>

  /** As {@link process}, for values only: the key stays, and nothing is repartitioned for it. */
  readonly processValues = ((...[processor, options = {}]: ProcessArguments<typeof processValues>) =>
    this.#fluent.stream(processValues(this.#point, processor, options))) as ProcessValuesMethod<K, V, Known>

  /** Sends every record through an internal topic, so that it is where its key says, in as many partitions as wanted. Null keys stay. */
  repartition(
    ...[options]: OptionsArgument<
      Exclude<Slot, Known>,
      RepartitionOptions<K, V> & SerdeOptions<K, V, Exclude<Slot, Known>>
    >
  ): KStream<K, V> {
    return this.#fluent.stream(repartition(this.#point, options ?? {}))
  }

  /**
   * Joins each record with what has the same key: records of another stream that are near in time (`within`), or the row of a table. With a global
   * table, `key` says which row. The other side has to be there for a result; see `leftJoin` and `outerJoin`.
   */
  readonly join = ((...[other, fn, options = {}]: JoinArguments) =>
    this.#fluent.stream(joinStream(this.#point, otherOf(other), { join: 'inner', fn, options }))) as StreamJoinMethod<
    K,
    V,
    Known
  >

  /** As `join`, and a record of this stream that finds nothing is joined with null; in a join of two streams, once its window is past. */
  readonly leftJoin = ((...[other, fn, options = {}]: JoinArguments) =>
    this.#fluent.stream(
      joinStream(this.#point, otherOf(other), { join: 'left', fn, options })
    )) as StreamLeftJoinMethod<K, V, Known>

  /** Joins two streams, and a record of either that finds nothing is joined with null once its window is past. */
  readonly outerJoin = ((...[other, fn, options = {}]: JoinArguments) =>
    this.#fluent.stream(
      joinStream(this.#point, otherOf(other), { join: 'outer', fn, options })
    )) as StreamOuterJoinMethod<K, V, Known>

  /** The stream as a table of its latest values; null deletes. Repartitions first if the key was changed before. Null keys are dropped. */
  toTable(
    ...[options]: OptionsArgument<
      Exclude<Slot, Known>,
      StepOptions & StreamTableOptions<K, V> & SerdeOptions<K, V, Exclude<Slot, Known>>
    >
  ): KTable<NonNullable<K>, V | null> {
    return this.#fluent.table(toTable(this.#point, options ?? {}))
  }

  /** Groups records by the key they have, to aggregate them. Repartitions first if the key was changed before, or with `salt`. */
  readonly groupByKey = ((options: Partial<SaltOption> & SerdesGiven = {}) => {
    const { salt, ...given } = options
    if (salt === undefined) return this.#fluent.grouped(groupByKey(this.#point, given))
    const mapper = (_value: unknown, { key }: StreamRecord) => key
    const keyed = { key: this.#point.key, ...given }
    return this.#fluent.salted(saltedGrouping(this.#point, { ...keyed, salt, verb: 'groupByKey', mapper }))
  }) as GroupByKeyMethod<K, V, Known>

  /**
   * Groups records by a new key, to aggregate them; always through a repartition. `name` names it and the stores below, where two
   * groupings of one stream would tie. `salt` is for hot keys: it spreads each key over so many places and merges what they made of its records.
   */
  readonly groupBy = ((mapper: Callback<unknown>, options: Partial<SaltOption> & SerdesGiven = {}) => {
    const { salt, ...given } = options
    if (salt === undefined) return this.#fluent.grouped(groupBy(this.#point, mapper, given))
    return this.#fluent.salted(saltedGrouping(this.#point, { ...given, salt, verb: 'groupBy', mapper }))
  }) as GroupByMethod<K, V, Known>

  /**
   * Writes each record to a topic, in the transaction that commits its input. The topic must exist; a function that says the topic of each record
   * is found out at the first record for a new one.
   */
  to(
    topic: string | StreamFunction<K, V, string>,
    ...[options]: OptionsArgument<Exclude<Slot, Known>, SinkOptions<K, V> & SerdeOptions<K, V, Exclude<Slot, Known>>>
  ): void {
    to(this.#point, topic, options ?? {})
  }
}

/** What a stream is joined with. */
function otherOf(other: unknown): JoinedWith {
  const stream = KStream.pointOf(other)
  if (stream !== undefined) return { stream }
  const table = KTable.pointOf(other)
  if (table !== undefined) return { table }
  const global = GlobalKTable.pointOf(other)
  if (global !== undefined) return { global }
  throw new UsageError('a stream is joined with a stream, a table or a global table of the same topology')
}
