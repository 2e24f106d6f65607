import type { Serde } from '../serde/serde.ts'
import { CogroupedKStream } from './cogrouped-k-stream.ts'
import type { Draft, Point } from './draft.ts'
import type { Fluent } from './fluent.ts'
import { GlobalKTable } from './k-global-table.ts'
import { KGroupedStream } from './k-grouped-stream.ts'
import { KGroupedTable } from './k-grouped-table.ts'
import { KStream } from './k-stream.ts'
import { KTable } from './k-table.ts'
import { knownOptions } from './known-options.ts'
import { requireOptions } from './mistakes.ts'
import type { CogroupedPoint, CogroupedWindows } from './operators/cogroup.ts'
import { addGlobalStore, type GlobalStoreStep } from './operators/global-store.ts'
import { globalTable } from './operators/global-table.ts'
import { stream } from './operators/stream.ts'
import { table } from './operators/table.ts'
import type { StreamOptions } from './options.ts'
import { SaltedKStream, SaltedWindowedKStream } from './salted-k-stream.ts'
import { SessionWindowedKStream } from './session-windowed-k-stream.ts'
import {
  type GlobalStoreHandle,
  type GlobalStoreOptions,
  globalStore,
  type KeyValueStoreHandle,
  keyValueStore,
  type ProcessedGlobalStoreOptions,
  type ReadOnlyStoreHandle,
  readOnlyStore,
  type SessionStoreHandle,
  type SessionStoreOptions,
  type StoreOptions,
  sessionStore,
  type VersionedStoreHandle,
  type VersionedStoreOptions,
  versionedStore,
  type WindowStoreHandle,
  type WindowStoreOptions,
  windowStore
} from './store-handle.ts'
import type { GlobalTableOptions, TopicTableOptions } from './table-options.ts'
import { TimeWindowedKStream } from './time-windowed-k-stream.ts'
import { type KnownMethods, refusingUnknownOptions } from './unknown-options.ts'
import { SessionWindowedCogroupedKStream, TimeWindowedCogroupedKStream } from './windowed-cogrouped-k-stream.ts'

const SERDES = '{ key: string(), value: json() }'

const fluent: Fluent = {
  stream: (point) => made(new KStream(point, fluent), point, knownOptions.stream),
  grouped: (grouped) => made(new KGroupedStream(grouped, fluent), grouped.point, knownOptions.grouped),
  windowed: (windowed) => made(new TimeWindowedKStream(windowed, fluent), windowed.point, knownOptions.windows),
  sessions: (windowed) => made(new SessionWindowedKStream(windowed, fluent), windowed.point, knownOptions.sessions),
  cogrouped: (cogrouped) => {
    return made(new CogroupedKStream(cogrouped, fluent), pointOf(cogrouped), knownOptions.cogrouped)
  },
  cogroupedWindows: <K, A>(cogrouped: CogroupedPoint, windows: CogroupedWindows) => {
    const windowed = new TimeWindowedCogroupedKStream<K, A>(cogrouped, windows, fluent)
    return made(windowed, pointOf(cogrouped), knownOptions.cogroupedWindows)
  },
  cogroupedSessions: <K, A>(cogrouped: CogroupedPoint, windows: CogroupedWindows) => {
    const sessions = new SessionWindowedCogroupedKStream<K, A>(cogrouped, windows, fluent)
    return made(sessions, pointOf(cogrouped), knownOptions.cogroupedSessions)
  },
  salted: (salted) => made(new SaltedKStream(salted, fluent), salted.point, knownOptions.salted),
  saltedWindows: (salted) => made(new SaltedWindowedKStream(salted, fluent), salted.point, knownOptions.saltedWindows),
  table: (point) => made(new KTable(point, fluent), point, knownOptions.table),
  groupedTable: (grouped) => made(new KGroupedTable(grouped, fluent), grouped.point, knownOptions.groupedTable)
}

/** A fluent object as programs get it. */
function made<T extends object>(object: T, at: Point | undefined, methods: KnownMethods): T {
  return refusingUnknownOptions(object, at?.draft.topology ?? '', methods)
}

function pointOf({ inputs: [first] }: CogroupedPoint): Point | undefined {
  return first?.grouped.point
}

/** Where a topology begins: what `defineTopology` hands to the program. */
export class StreamsBuilder {
  readonly #draft: Draft

  constructor(draft: Draft) {
    this.#draft = draft
  }

  /**
   * Reads one topic, or several as one stream with no order between them but that of their timestamps. A pattern stands for the topics that match it,
   * those too that come while the application runs: it looks for them every so often (`topicRefreshInterval`).
   */
  stream<K, V>(topics: string | readonly string[] | RegExp, options: StreamOptions<K, V>): KStream<K, V> {
    requireOptions(options, `b.stream(${String(topics)})`, SERDES)
    const several = Array.isArray(topics) || topics instanceof RegExp
    return fluent.stream(stream(this.#draft, several ? topics : [topics], options))
  }

  /**
   * Reads a topic as a table: the latest record of every key, null deletes. Null keys are dropped and counted. What came last counts, even
   * if its timestamp is older, unless `history` makes the table a versioned one.
   */
  table<K, V>(topic: string, options: TopicTableOptions<K, V>): KTable<NonNullable<K>, V | null> {
    return fluent.table(table(this.#draft, topic, requireOptions(options, `b.table(${topic})`, SERDES)))
  }

  /** A key-value store for processors, changelogged like every other; give it to those that use it: `process(fn, { stores: [store] })`. */
  store<const N extends string, K, V>(name: N, options: StoreOptions<K, V>): KeyValueStoreHandle<N, K, V> {
    return keyValueStore(name, requireOptions(options, `b.store(${name})`, SERDES))
  }

  /**
   * The latest values of a topic as a store that processors may read, each task those of its own partition: `process(fn, { stores: [store] })`. Records of
   * the topic and of the streams are taken in the order of their timestamps; the topics should have the same number of partitions. Null keys are
   * dropped and counted.
   */
  readOnlyStore<const N extends string, K, V>(
    name: N,
    topic: string,
    options: StreamOptions<K, V> & { readonly key: Serde<NonNullable<K>>; readonly value: Serde<NonNullable<V>> }
  ): ReadOnlyStoreHandle<N, NonNullable<K>, NonNullable<V>> {
    const store = keyValueStore(name, { key: options.key, value: options.value })
    table(this.#draft, topic, { ...options, store })
    return readOnlyStore(store)
  }

  /** The same with one value per key and window; windows older than the retention, in the task's stream time, are absent. */
  windowStore<const N extends string, K, V>(name: N, options: WindowStoreOptions<K, V>): WindowStoreHandle<N, K, V> {
    return windowStore(name, requireOptions(options, `b.windowStore(${name})`, `${SERDES} and { retention: '1h' }`))
  }

  /** A store of one value per key and session, for processors; sessions that ended before the retention, in the task's stream time, are absent. */
  sessionStore<const N extends string, K, V>(name: N, options: SessionStoreOptions<K, V>): SessionStoreHandle<N, K, V> {
    return sessionStore(name, requireOptions(options, `b.sessionStore(${name})`, `${SERDES} and { retention: '1h' }`))
  }

  /** A store that remembers what each key's value was at any time of its `history`, for processors. */
  versionedStore<const N extends string, K, V>(
    name: N,
    options: VersionedStoreOptions<K, V>
  ): VersionedStoreHandle<N, K, V> {
    return versionedStore(name, requireOptions(options, `b.versionedStore(${name})`, `${SERDES} and { history: '1h' }`))
  }

  /**
   * Reads a topic as a table of which every instance has all partitions, in memory. It is filled before anything is processed, and from then on
   * follows the topic by itself, in no order with the streams. The topic is its own changelog: it should be a compacted one.
   */
  globalTable<K, V>(topic: string, options: GlobalTableOptions<K, V>): GlobalKTable<K, V> {
    const given = requireOptions(options, `b.globalTable(${topic})`, SERDES)
    return new GlobalKTable(globalTable(this.#draft, topic, given))
  }

  /**
   * The same topic as {@link globalTable} reads it, as a store that processors may read by key: `process(fn, { stores: [store] })`. It follows its
   * topic by itself, in no order with the streams. With `process`, the rows are what a processor of the program's own makes of the records.
   *
   * @example
   * const seen = b.globalStore('seen', 'visits', {
   *   key: string(), value: long(),
   *   input: { key: string(), value: json<Visit>() },
   *   process: ({ value }, store) => store.put(value?.page ?? '', (store.get(value?.page ?? '') ?? 0) + 1)
   * })
   */
  globalStore<const N extends string, K, V, TK, TV>(
    name: N,
    topic: string,
    options: ProcessedGlobalStoreOptions<K, V, TK, TV>
  ): GlobalStoreHandle<N, K, V>
  globalStore<const N extends string, K, V>(
    name: N,
    topic: string,
    options: GlobalStoreOptions<K, V>
  ): GlobalStoreHandle<N, K, V>
  globalStore<const N extends string, K, V>(
    name: N,
    topic: string,
    options: GlobalStoreOptions<K, V> & Pick<GlobalStoreStep, 'input' | 'process'>
  ): GlobalStoreHandle<N, K, V> {
    addGlobalStore(this.#draft, { name, topic }, options)
    return globalStore(name, options)
  }
}
