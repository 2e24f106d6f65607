import { isPlainObject, type OptionNames, optionNames } from '../graph/option-names.ts'
import type { CogroupedKStream } from './cogrouped-k-stream.ts'
import type {
  ForeignKeyJoinOptions,
  GlobalJoinOptions,
  StreamJoinOptions,
  StreamTableJoinOptions
} from './join-options.ts'
import { GlobalKTable } from './k-global-table.ts'
import type { KGroupedStream } from './k-grouped-stream.ts'
import type { KGroupedTable } from './k-grouped-table.ts'
import type { KStream } from './k-stream.ts'
import { KTable } from './k-table.ts'
import type { MapAsyncOptions } from './map-async-options.ts'
import type {
  AggregateOptions,
  PipeOptions,
  PrintOptions,
  RepartitionOptions,
  SinkOptions,
  StepOptions,
  StreamOptions,
  WindowedAggregateOptions,
  WindowedByOptions
} from './options.ts'
import type { KeyedProcessOptions, ProcessOptions, StoreHandles } from './process-types.ts'
import type { RxOptions } from './rx-options.ts'
import type { Commutative, SaltedAggregateOptions, SaltedWindowedOptions, SaltOption } from './salt-options.ts'
import type { SaltedKStream, SaltedWindowedKStream } from './salted-k-stream.ts'
import type { SessionWindowedKStream } from './session-windowed-k-stream.ts'
import type { SplitOptions } from './split-method.ts'
import type {
  ProcessedGlobalStoreOptions,
  SessionStoreOptions,
  StoreOptions,
  VersionedStoreOptions,
  WindowStoreOptions
} from './store-handle.ts'
import type { StreamsBuilder } from './streams-builder.ts'
import type { SuppressOptions } from './suppress-until.ts'
import type {
  GlobalTableOptions,
  KeptStepOptions,
  StreamTableOptions,
  TableAggregateOptions,
  TopicTableOptions
} from './table-options.ts'
import type { TimeWindowedKStream } from './time-windowed-k-stream.ts'
import type { TransformValuesOptions } from './transform-types.ts'
import type { Takes } from './unknown-options.ts'
import type { SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream } from './windowed-cogrouped-k-stream.ts'

/** What every method of a fluent object takes. One that is left out does not compile. */
type Methods<T> = { readonly [M in keyof T]: Takes }

interface Keyed {
  readonly key?: unknown
}
interface Valued {
  readonly value?: unknown
}
interface Sided {
  readonly left?: unknown
  readonly right?: unknown
}
/** What some options have beyond those of every step and of every store. */
type Own<O, More extends string = never> = Omit<O, 'name' | 'key' | 'value' | 'changelog' | 'engine' | More>

/** Options at that place. */
const at =
  (place: number, names: OptionNames): Takes =>
  (given) => [given[place], names]

const step = optionNames<StepOptions>({ name: true })
const stepValue = optionNames<StepOptions & Valued>({ name: true, value: true })
const stepKey = optionNames<StepOptions & Keyed>({ name: true, key: true })
const stepBoth = optionNames<StepOptions & Keyed & Valued>({ name: true, key: true, value: true })
const grouping = optionNames<StepOptions & Keyed & Valued & SaltOption>({
  name: true,
  key: true,
  value: true,
  salt: true
})
const kept = optionNames<StepOptions & KeptStepOptions>({ name: true, store: true, emit: true, history: true })
const aggregate = [
  'value',
  ...optionNames<AggregateOptions>({ name: true, store: true, emit: true, ttl: true, firstOldValue: true })
]
const windowed = [
  'value',
  ...optionNames<WindowedAggregateOptions>({
    name: true,
    store: true,
    emit: true,
    retention: true,
    idle: true,
    firstOldValue: true
  })
]
const ofRows = ['value', ...optionNames<TableAggregateOptions>({ name: true, store: true, emit: true })]
const salted = [
  'value',
  ...optionNames<SaltedAggregateOptions & Commutative>({ name: true, store: true, emit: true, commutative: true })
]
const saltedWindows = [...salted, ...optionNames<Pick<SaltedWindowedOptions, 'retention'>>({ retention: true })]
const windowing = optionNames<WindowedByOptions<unknown, unknown>>({ onLate: true })
const reading = optionNames<StreamOptions<unknown, unknown>>({
  name: true,
  key: true,
  value: true,
  timestamp: true,
  reset: true
})
const processing = ['value', ...optionNames<ProcessOptions<StoreHandles>>({ name: true, stores: true })]
const streamJoin = optionNames<StreamJoinOptions<unknown> & Keyed & Sided & WindowedByOptions<unknown, unknown>>({
  name: true,
  key: true,
  left: true,
  right: true,
  value: true,
  within: true,
  grace: true,
  repartition: true,
  store: true,
  stores: true,
  onLate: true
})
const streamTableJoin = optionNames<StreamTableJoinOptions<unknown> & Keyed & Pick<Sided, 'left'>>({
  name: true,
  key: true,
  left: true,
  value: true,
  grace: true,
  store: true,
  repartition: true
})
const globalJoin = optionNames<GlobalJoinOptions<unknown, unknown, unknown, unknown>>({
  name: true,
  key: true,
  value: true
})
const tableJoin = ['value', ...kept]
const foreignKeyJoin = optionNames<ForeignKeyJoinOptions<unknown, unknown, unknown, unknown> & Sided>({
  name: true,
  left: true,
  right: true,
  value: true,
  store: true,
  emit: true,
  foreignKey: true,
  staleAnswers: true,
  partitioners: true
})
const store = optionNames<StoreOptions<unknown, unknown>>({ key: true, value: true, changelog: true, engine: true })
const asynchronous = [
  ...stepBoth,
  ...optionNames<Omit<MapAsyncOptions, 'name'>>({ order: true, concurrency: true, timeout: true, retry: true })
]

const aggregations = { count: at(0, windowed), collect: at(1, windowed), reduce: at(1, windowed) }
const saltedAggregations = { count: at(0, salted), reduce: at(1, salted), aggregate: at(3, salted) }

/** Of a join of a stream: by what it is joined with. */
const joined: Takes = ([other, , options]) => [
  options,
  KTable.pointOf(other) !== undefined ? streamTableJoin : other instanceof GlobalKTable ? globalJoin : streamJoin
]

/** Of a join of tables: by equal keys or by a foreign one. */
const joinedTables: Takes = ([, , options]) => [
  options,
  isPlainObject(options) && 'foreignKey' in options ? foreignKeyJoin : tableJoin
]

/** What the methods of each fluent object take. */
export const knownOptions = {
  builder: {
    stream: at(1, reading),
    table: at(
      1,
      optionNames<TopicTableOptions<unknown, unknown>>({
        name: true,
        key: true,
        value: true,
        timestamp: true,
        reset: true,
        store: true,
        emit: true,
        history: true,
        ttl: true
      })
    ),
    store: at(1, store),
    readOnlyStore: at(2, reading),
    windowStore: at(
      1,
      optionNames<WindowStoreOptions<unknown, unknown>>({
        key: true,
        value: true,
        changelog: true,
        engine: true,
        retention: true,
        size: true,
        byKey: true
      })
    ),
    sessionStore: at(1, [...store, ...optionNames<Own<SessionStoreOptions<unknown, unknown>>>({ retention: true })]),
    versionedStore: at(1, [...store, ...optionNames<Own<VersionedStoreOptions<unknown, unknown>>>({ history: true })]),
    globalTable: at(1, optionNames<GlobalTableOptions<unknown, unknown>>({ key: true, value: true, store: true })),
    globalStore: at(
      2,
      optionNames<ProcessedGlobalStoreOptions<unknown, unknown, unknown, unknown>>({
        key: true,
        value: true,
        input: true,
        process: true
      })
    )
  } satisfies Methods<StreamsBuilder>,
  stream: {
    filter: at(1, step),
    filterNot: at(1, step),
    mapValues: at(1, stepValue),
    mapAsync: at(1, asynchronous),
    flatMapValues: at(1, stepValue),
    map: at(1, stepBoth),
    flatMap: at(1, stepBoth),
    selectKey: at(1, stepKey),
    peek: at(1, step),
    forEach: at(1, step),
    print: at(0, optionNames<PrintOptions<unknown, unknown>>({ name: true, label: true, mapper: true, write: true })),
    pipe: (given) => [given.at(-1), optionNames<PipeOptions & Valued>({ name: true, value: true, volatile: true })],
    rx: at(
      1,
      optionNames<RxOptions<unknown, unknown, never> & Valued>({ key: true, input: true, value: true, store: true })
    ),
    merge: at(1, step),
    split: at(1, optionNames<SplitOptions<string>>({ name: true, default: true })),
    process: at(1, [
      ...processing,
      'key',
      ...optionNames<Own<KeyedProcessOptions<StoreHandles>, 'stores'>>({ keepsPartition: true })
    ]),
    processValues: at(1, processing),
    repartition: at(0, [
      ...stepBoth,
      ...optionNames<Own<RepartitionOptions<unknown, unknown>>>({ partitions: true, partitioner: true })
    ]),
    join: joined,
    leftJoin: joined,
    outerJoin: joined,
    toTable: at(
      0,
      optionNames<StepOptions & StreamTableOptions<unknown, unknown> & Keyed & Valued>({
        name: true,
        key: true,
        value: true,
        store: true,
        emit: true,
        history: true,
        ttl: true
      })
    ),
    groupByKey: at(0, grouping),
    groupBy: at(1, grouping),
    to: at(1, [...stepBoth, ...optionNames<Own<SinkOptions<unknown, unknown>>>({ partitioner: true, feedback: true })])
  } satisfies Methods<KStream<unknown, unknown>>,
  table: {
    filter: at(1, kept),
    filterNot: at(1, kept),
    mapValues: at(1, tableJoin),
    transformValues: at(1, [...tableJoin, ...optionNames<Own<TransformValuesOptions<StoreHandles>>>({ stores: true })]),
    toStream: (given) => [typeof given[0] === 'function' ? given[1] : given[0], stepKey],
    queryableStoreName: undefined,
    suppress: at(1, optionNames<SuppressOptions>({ name: true, store: true, oldValue: true, onLate: true })),
    groupBy: at(1, stepBoth),
    join: joinedTables,
    leftJoin: joinedTables,
    outerJoin: at(2, tableJoin)
  } satisfies Methods<KTable<unknown, unknown>>,
  grouped: {
    windowedBy: at(1, windowing),
    count: at(0, aggregate),
    collect: at(1, aggregate),
    reduce: at(1, aggregate),
    aggregate: at(2, aggregate),
    cogroup: undefined
  } satisfies Methods<KGroupedStream<unknown, unknown>>,
  groupedTable: {
    count: at(0, ofRows),
    reduce: at(2, ofRows),
    aggregate: at(1, ofRows)
  } satisfies Methods<KGroupedTable<unknown, unknown>>,
  windows: { ...aggregations, aggregate: at(2, windowed) } satisfies Methods<TimeWindowedKStream<unknown, unknown>>,
  sessions: { ...aggregations, aggregate: at(3, windowed) } satisfies Methods<SessionWindowedKStream<unknown, unknown>>,
  cogrouped: {
    cogroup: undefined,
    windowedBy: at(1, windowing),
    aggregate: at(1, aggregate)
  } satisfies Methods<CogroupedKStream<unknown, unknown>>,
  cogroupedWindows: { aggregate: at(1, windowed) } satisfies Methods<TimeWindowedCogroupedKStream<unknown, unknown>>,
  cogroupedSessions: { aggregate: at(2, windowed) } satisfies Methods<
    SessionWindowedCogroupedKStream<unknown, unknown>
  >,
  salted: { ...saltedAggregations, windowedBy: at(1, []) } satisfies Methods<SaltedKStream<unknown, unknown>>,
  saltedWindows: {
    count: at(0, saltedWindows),
    reduce: at(1, saltedWindows),
    aggregate: at(3, saltedWindows)
  } satisfies Methods<SaltedWindowedKStream<unknown, unknown>>
}
