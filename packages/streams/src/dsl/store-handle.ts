import { UsageError } from '@millrace/log'
import { type Duration, durationMs } from '../graph/duration.ts'
import type { StoreDefinition } from '../graph/node.ts'
import type {
  ProcessorGlobalStore,
  ProcessorReadOnlyStore,
  ProcessorSessionStore,
  ProcessorStore,
  ProcessorVersionedStore,
  ProcessorWindowStore
} from '../graph/process-context.ts'
import type { Serde } from '../serde/serde.ts'
import { versionListSerde } from '../serde/version-list.ts'
import { keptStore, type Materialized } from './materialized.ts'
import { indexBucket } from './operators/kept-windows.ts'
import type { ProcessorOf } from './process-types.ts'

interface Handle<Kind extends string, N extends string, K, V> {
  readonly kind: Kind
  readonly name: N
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** A key-value store for processors: given to those that use it as `{ stores: [handle] }`. */
export type KeyValueStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'key-value', N, K, V>

/** A window store for processors. */
export type WindowStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'window', N, K, V>

/** A session store for processors. */
export type SessionStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'session', N, K, V>

/** A store for processors that remembers what its values were. */
export type VersionedStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'versioned', N, K, V>

/** A topic that processors may read as a store. */
export type GlobalStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'global', N, K, V>

/** A topic's latest values that processors may read as a store, each task those of its own partition. */
export type ReadOnlyStoreHandle<N extends string = string, K = unknown, V = unknown> = Handle<'read-only', N, K, V>

/** Any store for processors. */
export type StoreHandle =
  | KeyValueStoreHandle
  | WindowStoreHandle
  | SessionStoreHandle
  | VersionedStoreHandle
  | GlobalStoreHandle
  | ReadOnlyStoreHandle

/** What a processor gets for a handle. */
export type StoreOf<H> =
  H extends KeyValueStoreHandle<string, infer K, infer V>
    ? ProcessorStore<K, V>
    : H extends WindowStoreHandle<string, infer K, infer V>
      ? ProcessorWindowStore<K, V>
      : H extends SessionStoreHandle<string, infer K, infer V>
        ? ProcessorSessionStore<K, V>
        : H extends VersionedStoreHandle<string, infer K, infer V>
          ? ProcessorVersionedStore<K, V>
          : H extends GlobalStoreHandle<string, infer K, infer V>
            ? ProcessorGlobalStore<K, V>
            : H extends ReadOnlyStoreHandle<string, infer K, infer V>
              ? ProcessorReadOnlyStore<K, V>
              : never

/** Of a processor's key-value store. */
export interface StoreOptions<K, V> extends Omit<Materialized, 'name'> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** Of a global store. */
export interface GlobalStoreOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** Of a global store whose rows are made by a processor of the program's own (Kafka Streams' `addGlobalStore`). */
export interface ProcessedGlobalStoreOptions<K, V, TK, TV> extends GlobalStoreOptions<K, V> {
  /** How the topic's records are read. */
  readonly input: { readonly key: Serde<TK>; readonly value: Serde<TV> }
  /**
   * Puts into the store what a record means, a null key or value too: a function per record, or `{ make }`, called with the store at every start. It runs in
   * every instance for all records of the topic, from the first at every start, so it should depend on nothing else.
   */
  readonly process: ProcessorOf<TK | null, TV | null, ProcessorStore<K, V>>
}

/** Of a processor's window store. */
export interface WindowStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long a window is kept after its start, in stream time. */
  readonly retention: Duration
  /** The windows' size, for those who read the store. Default: unknown. */
  readonly size?: Duration
  /** Keeps an index, so that `fetch` finds the windows of a key; every write of a new window costs one more then. Default false. */
  readonly byKey?: boolean
}

/** Of a processor's session store. */
export interface SessionStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How long a session is kept after its end, in stream time. */
  readonly retention: Duration
}

/** Of a processor's versioned store. */
export interface VersionedStoreOptions<K, V> extends StoreOptions<K, V> {
  /** How far back it remembers, from the newest version of all; what is put further back is dropped and counted as late. */
  readonly history: Duration
}

const definitions = new WeakMap<StoreHandle, StoreDefinition>()

/** Defines a key-value store; it is there once a processor is given it. */
export function keyValueStore<const N extends string, K, V>(
  name: N,
  { key, value, ...kept }: StoreOptions<K, V>
): KeyValueStoreHandle<N, K, V> {
  const handle = Object.freeze({ kind: 'key-value', name, key, value } as const)
  definitions.set(handle, Object.freeze({ ...keptStore(kept), ...handle, named: true }))
  return handle
}

/** The same store, for those who may only read it. */
export function readOnlyStore<const N extends string, K, V>(
  store: KeyValueStoreHandle<N, K, V>
): ReadOnlyStoreHandle<N, K, V> {
  const handle = Object.freeze({ ...store, kind: 'read-only' } as const)
  definitions.set(handle, definitionOf(store))
  return handle
}

/** Defines a window store; it is there once a processor is given it. */
export function windowStore<const N extends string, K, V>(
  name: N,
  { key, value, retention, size, byKey = false, ...kept }: WindowStoreOptions<K, V>
): WindowStoreHandle<N, K, V> {
  const handle = Object.freeze({ kind: 'window', name, key, value } as const)
  const retentionMs = durationMs('retention', retention, { leastMs: 1 })
  const sized = size === undefined ? {} : { windowSizeMs: durationMs('size', size, { leastMs: 1 }) }
  const index = byKey ? indexBucket(1, retentionMs) : {}
  definitions.set(
    handle,
    Object.freeze({ ...keptStore(kept), ...handle, retentionMs, ...sized, ...index, named: true })
  )
  return handle
}

/** Defines a session store; it is there once a processor is given it. */
export function sessionStore<const N extends string, K, V>(
  name: N,
  { key, value, retention, ...kept }: SessionStoreOptions<K, V>
): SessionStoreHandle<N, K, V> {
  const handle = Object.freeze({ kind: 'session', name, key, value } as const)
  const retentionMs = durationMs('retention', retention, { leastMs: 1 })
  const index = indexBucket(1, retentionMs)
  definitions.set(handle, Object.freeze({ ...keptStore(kept), ...handle, retentionMs, ...index, named: true }))
  return handle
}

/** Defines a store that keeps versions; it is there once a processor is given it. */
export function versionedStore<const N extends string, K, V>(
  name: N,
  { key, value, history, ...kept }: VersionedStoreOptions<K, V>
): VersionedStoreHandle<N, K, V> {
  const handle = Object.freeze({ kind: 'versioned', name, key, value } as const)
  const historyMs = durationMs('history', history, { leastMs: 1 })
  const stored = { kind: 'key-value', name, key, value: versionListSerde(value), historyMs, named: true } as const
  definitions.set(handle, Object.freeze({ ...keptStore(kept), ...stored }))
  return handle
}

/** The handle of a global table's store; the builder defines the table. */
export function globalStore<const N extends string, K, V>(
  name: N,
  { key, value }: GlobalStoreOptions<K, V>
): GlobalStoreHandle<N, K, V> {
  return Object.freeze({ kind: 'global', name, key, value })
}

/** @throws UsageError when the handle was not made by the builder. */
export function definitionOf(handle: StoreHandle): StoreDefinition {
  const definition = definitions.get(handle)
  if (definition === undefined)
    throw new UsageError(`store ${handle.name} was not made by the builder: b.store(), b.windowStore() and their like`)
  return definition
}
