import type { StoreDefinition } from '../graph/node.ts'
import type { StateChange } from './engine.ts'
import { StoreDamagedError } from './errors.ts'
import { checksumBytes } from './layout.ts'

/** What a store knows of itself; written in every batch, so it is always that of the data beside it. */
export interface StoreMeta {
  /** The first byte of its engine keys: 1 to 254. */
  readonly prefix: number
  readonly kind: StoreDefinition['kind']
  clusterId: string
  topicId: string
  /** Next offset of the changelog that the store has not seen; -1 at first. */
  offset: number
  /** Of the last changelog record it saw; -1 when unknown. */
  leaderEpoch: number
  committedAtMs: number
  /** Windows: the latest window start ever written, -1 at first; later ones are known to be absent. */
  maxWindowStartMs: number
  /** Windows: those that start before it are expired, whether they are still there or not. */
  expiredBeforeMs: number
}

/** In the place of a changelog's topic id: the store has none. */
export const noChangelog = 'none'

/** What a store says about where it belongs and how far it is. */
export interface StoreIdentity {
  readonly clusterId: string
  readonly topicId: string
  /** Next offset of the changelog that the store has not seen. */
  readonly offset: number
  /** Leader epoch of the last changelog record it saw; -1 when unknown. */
  readonly leaderEpoch: number
  readonly committedAtMs: number
}

const storeTag = 0x73
const timeKey = Buffer.from([0, 0x74])
const firstStoreKey = Buffer.from([0, storeTag])
const lastStoreKey = Buffer.from([0, storeTag + 1])

/** Where stores' metas lie in the engine. */
export const storeMetaRange = { gte: firstStoreKey, lt: lastStoreKey }

/** Where the time state lies in the engine. */
export const timeStateKey = timeKey

/** A store that was never written. */
export function newStoreMeta(prefix: number, kind: StoreDefinition['kind']): StoreMeta {
  return {
    prefix,
    kind,
    clusterId: '',
    topicId: '',
    offset: -1,
    leaderEpoch: -1,
    committedAtMs: 0,
    maxWindowStartMs: -1,
    expiredBeforeMs: 0
  }
}

/** The change that writes a store's meta. */
export function storeMetaChange(store: string, meta: StoreMeta): StateChange {
  return { key: storeMetaKey(store), value: withSpare(Buffer.from(JSON.stringify(meta))) }
}

/** The change that writes the time state. */
export function timeStateChange(time: Buffer): StateChange {
  return { key: timeKey, value: withSpare(time) }
}

/** The engine key of a store's meta. */
export function storeMetaKey(store: string): Buffer {
  return Buffer.concat([firstStoreKey, Buffer.from(store)])
}

/**
 * Reads a store's name and meta.
 * @throws StoreDamagedError when it is not one, which its checksum should have shown.
 */
export function parseStoreMeta(key: Buffer, value: Buffer): { readonly store: string; readonly meta: StoreMeta } {
  const store = key.toString('utf8', firstStoreKey.length)
  const meta: unknown = JSON.parse(value.toString())
  if (!isStoreMeta(meta)) throw new StoreDamagedError(store, 'its description is of another version')
  return { store, meta }
}

function isStoreMeta(value: unknown): value is StoreMeta {
  if (typeof value !== 'object' || value === null) return false
  const known = newStoreMeta(1, 'key-value')
  return Object.entries(known).every(([name, sample]) => typeof Reflect.get(value, name) === typeof sample)
}

function withSpare(bytes: Buffer): Buffer {
  const value = Buffer.alloc(bytes.length + checksumBytes)
  bytes.copy(value)
  return value
}
