import type { StoreDefinition } from '../graph/node.ts'
import { readLong, writeLong } from '../serde/long.ts'
import type { KeyRange } from './engine.ts'
import type { Timestamped } from './store.ts'

/**
 * Bytes in the engine, under one prefix byte per store:
 *
 * - key-value: prefix, key
 * - window:    prefix, window start (8 bytes, big-endian), key - time first, so that expiry and final results are ranges
 * - session:   prefix, session end (8 bytes), session start (8 bytes), key: a window whose key begins with the session's start
 * - value:     timestamp (8 bytes), value, and 4 bytes that the checksum fills (`checked-engine.ts`)
 *
 * On the changelog, as Kafka Streams writes them: the key; the key, window start (8 bytes), sequence (4 bytes, 0); the key, session end
 * (8 bytes), session start (8 bytes).
 */

/** Room for the checksum at the end of every value. */
export const checksumBytes = 4
/** Of the time before every value. */
export const timestampBytes = 8
/** Of window start and sequence behind the key of a window on the changelog. */
export const changelogSuffixBytes = 12
const sessionSuffixBytes = 16

/** An engine key of a key-value store. */
export function keyValueKey(prefix: number, key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(1 + key.length)
  bytes[0] = prefix
  key.copy(bytes, 1)
  return bytes
}

/** An engine key of a window store. */
export function windowKey(prefix: number, windowStartMs: number, key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(9 + key.length)
  bytes[0] = prefix
  writeLong(bytes, windowStartMs, 1)
  key.copy(bytes, 9)
  return bytes
}

/** Where the store's own key begins in an engine key. */
export function keyOffset(kind: StoreDefinition['kind']): number {
  return isTimeFirst(kind) ? 9 : 1
}

/** Whether a store's engine keys begin with a time. */
export function isTimeFirst(kind: StoreDefinition['kind']): boolean {
  return kind === 'window' || kind === 'session'
}

/** The window start in an engine key of a window store. */
export function windowStartOf(engineKey: Buffer): number {
  return readLong(engineKey, 1)
}

/** All keys of a store. */
export function storeRange(prefix: number): KeyRange {
  return { gte: Buffer.from([prefix]), lt: Buffer.from([prefix + 1]) }
}

/** All keys of a window store whose window starts in `[fromMs, toMs)`. Bounds may be infinite. */
export function windowRange(prefix: number, fromMs: number, toMs: number): KeyRange {
  const whole = storeRange(prefix)
  const gte = fromMs <= 0 ? whole.gte : windowKey(prefix, fromMs, Buffer.alloc(0))
  if (toMs > Number.MAX_SAFE_INTEGER) return { gte, lt: whole.lt }
  return { gte, lt: windowKey(prefix, Math.max(0, toMs), Buffer.alloc(0)) }
}

/** An engine value. */
export function engineValue(timestamp: number, value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(timestampBytes + value.length + checksumBytes)
  writeLong(bytes, timestamp, 0)
  value.copy(bytes, timestampBytes)
  return bytes
}

/** Decodes an engine value that the checked engine handed out, so without its checksum. */
export function decodeEngineValue(definition: StoreDefinition, bytes: Buffer): Timestamped<unknown> {
  const value = definition.value.decode(bytes, timestampBytes, bytes.length)
  return { value, timestamp: readLong(bytes, 0) }
}

/** A changelog key of a window store. */
export function changelogWindowKey(windowStartMs: number, key: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(key.length + changelogSuffixBytes)
  key.copy(bytes)
  writeLong(bytes, windowStartMs, key.length)
  bytes.writeUInt32BE(0, key.length + 8)
  return bytes
}

/** A changelog key of a session store; `place` is the session's start, then the key. */
export function changelogSessionKey(endMs: number, place: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(place.length + 8)
  const keyLength = place.length - 8
  place.copy(bytes, 0, 8)
  writeLong(bytes, endMs, keyLength)
  place.copy(bytes, keyLength + 8, 0, 8)
  return bytes
}

/** The engine key for a changelog key; undefined when a window's key is too short to be one. */
export function engineKeyOfChangelog(kind: StoreDefinition['kind'], prefix: number, key: Buffer): Buffer | undefined {
  if (!isTimeFirst(kind)) return keyValueKey(prefix, key)
  const suffixBytes = kind === 'session' ? sessionSuffixBytes : changelogSuffixBytes
  const keyEnd = key.length - suffixBytes
  if (keyEnd < 0) return undefined
  const startBytes = kind === 'session' ? 8 : 0
  const bytes = Buffer.allocUnsafe(9 + startBytes + keyEnd)
  bytes[0] = prefix
  key.copy(bytes, 1, keyEnd, keyEnd + 8)
  if (startBytes > 0) key.copy(bytes, 9, keyEnd + 8, keyEnd + 16)
  key.copy(bytes, 9 + startBytes, 0, keyEnd)
  return bytes
}
