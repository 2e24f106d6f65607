import type { StoreDefinition } from '../graph/node.ts'
import { writeLong } from '../serde/long.ts'
import { Scratch } from '../serde/scratch.ts'
import type { Serde } from '../serde/serde.ts'
import {
  changelogSessionKey,
  changelogSuffixBytes,
  changelogWindowKey,
  checksumBytes,
  engineValue,
  isTimeFirst,
  keyValueKey,
  timestampBytes,
  windowKey
} from './layout.ts'
import type { StoreEntry } from './store-entry.ts'

const keys = new Scratch()
const values = new Scratch()

/** A key, and its window where it has one. */
export interface EntryPlace {
  readonly key: unknown
  readonly windowStartMs: number
}

/**
 * A store's entries as bytes for a batch or a look-up, without buffers of their own: each key and each value is valid until the next one is asked for.
 * Keys and values whose serde can not write into a place (`Serde.encodeInto`) are encoded once a commit, and kept by their entry until then.
 */
export class EntryBytes {
  readonly #kind: StoreDefinition['kind']
  readonly #key: Serde<unknown>
  readonly #value: Serde<unknown>

  constructor({ kind, key, value }: StoreDefinition) {
    this.#kind = kind
    this.#key = key
    this.#value = value
  }

  /** The key as on the changelog. */
  changelogKey(entry: StoreEntry): Buffer {
    const { key, windowStartMs } = entry
    const end = this.#key.encodeInto?.(key, keys.bytes, 0) ?? -1
    if (this.#kind === 'session') {
      // A session's start comes last there, and first in its key.
      return changelogSessionKey(windowStartMs, end < 0 ? entry.encodedKey(this.#key) : keys.view(end))
    }
    const isWindow = this.#kind === 'window'
    if (end < 0 || end + changelogSuffixBytes > keys.bytes.length) {
      const bytes = entry.encodedKey(this.#key)
      return isWindow ? changelogWindowKey(windowStartMs, bytes) : bytes
    }
    if (!isWindow) return keys.view(end)
    writeLong(keys.bytes, windowStartMs, end)
    keys.bytes.writeUInt32BE(0, end + 8)
    return keys.view(end + changelogSuffixBytes)
  }

  /** The value as on the changelog; null when absent. */
  changelogValue(entry: StoreEntry): Buffer | null {
    if (entry.current === undefined) return null
    const end = this.#value.encodeInto?.(entry.current.value, values.bytes, 0) ?? -1
    return end < 0 ? entry.encodedValue(this.#value) : values.view(end)
  }

  /** The key in the engine. */
  engineKey(prefix: number, entry: StoreEntry): Buffer {
    return this.#engineKey(prefix, entry) ?? this.#joined(prefix, entry, entry.encodedKey(this.#key))
  }

  /** The key in the engine of what may have no entry yet. */
  wantedKey(prefix: number, place: EntryPlace): Buffer {
    return this.#engineKey(prefix, place) ?? this.#joined(prefix, place, this.#key.encode(place.key))
  }

  /** The value in the engine, with room for its checksum; null when absent. */
  engineValue(entry: StoreEntry): Buffer | null {
    const { current } = entry
    if (current === undefined) return null
    const end = this.#value.encodeInto?.(current.value, values.bytes, timestampBytes) ?? -1
    if (end < 0 || end + checksumBytes > values.bytes.length) {
      const bytes = entry.encodedValue(this.#value)
      return bytes && engineValue(current.timestamp, bytes)
    }
    writeLong(values.bytes, current.timestamp, 0)
    return values.view(end + checksumBytes)
  }

  #engineKey(prefix: number, { key, windowStartMs }: EntryPlace): Buffer | undefined {
    const isWindow = isTimeFirst(this.#kind)
    const end = this.#key.encodeInto?.(key, keys.bytes, isWindow ? 9 : 1) ?? -1
    if (end < 0) return undefined
    keys.bytes[0] = prefix
    if (isWindow) writeLong(keys.bytes, windowStartMs, 1)
    return keys.view(end)
  }

  #joined(prefix: number, { windowStartMs }: EntryPlace, key: Buffer): Buffer {
    return isTimeFirst(this.#kind) ? windowKey(prefix, windowStartMs, key) : keyValueKey(prefix, key)
  }
}
