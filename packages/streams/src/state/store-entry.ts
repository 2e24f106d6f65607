import type { Serde } from '../serde/serde.ts'
import type { StoreCell, Timestamped } from './store.ts'

/** One key (and window) of a store in memory: in the write buffer while it is dirty, in the clean cache after. */
export class StoreEntry implements StoreCell {
  key: unknown
  /** 0 in a key-value store. */
  windowStartMs: number
  /** Session stores only; there the session's end takes the place of the window's start. */
  sessionStartMs: number | undefined
  /** Undefined: absent. Replaced as a whole, never changed, so that who got it keeps it; but for the lists of a window index. */
  current: Timestamped<unknown> | undefined
  /** The key's encoded bytes, once they were needed. */
  keyBytes: Buffer | undefined
  /** The current value's encoded bytes, between the changelog's record and the engine's batch. */
  valueBytes: Buffer | undefined
  /** The time of the deletion, when the current value is absent because of one. */
  deletedAtMs = 0
  dirty = false
  pending = false
  /** Not to be kept in memory once it is absent. */
  brief = false
  /** It was absent when it became dirty: if it is absent again, nothing happened that a changelog or an engine must know. */
  wasAbsent = false
  /** Since the last sweep of the cache. */
  used = true

  constructor(key: unknown, windowStartMs: number, current: Timestamped<unknown> | undefined) {
    this.key = key
    this.windowStartMs = windowStartMs
    this.current = current
  }

  /** Of what is not committed: it is as if it had been there from the first. */
  moveTo({ key, windowStartMs, sessionStartMs }: Pick<StoreEntry, 'key' | 'windowStartMs' | 'sessionStartMs'>): void {
    this.key = key
    this.windowStartMs = windowStartMs
    this.sessionStartMs = sessionStartMs
    this.keyBytes = undefined
  }

  encodedKey(serde: Serde<unknown>): Buffer {
    this.keyBytes ??= serde.encode(this.key)
    return this.keyBytes
  }

  /** Whether it came and went since the last commit. */
  get vanished(): boolean {
    return this.wasAbsent && this.current === undefined
  }

  /** Null when absent. */
  encodedValue(serde: Serde<unknown>): Buffer | null {
    if (this.current === undefined) return null
    this.valueBytes ??= serde.encode(this.current.value)
    return this.valueBytes
  }
}

/** What equal keys share: the serde's own primitive, or the encoded bytes as text. */
export type KeyIdentity = string | number | bigint | boolean

/** The function that finds a key's identity. */
export function identityOf(serde: Serde<unknown>): (key: unknown) => KeyIdentity {
  const { identity } = serde
  if (identity !== undefined) return (key) => identity(key)
  return (key) => serde.encode(key).toString('latin1')
}

/** The number of entries at which a cache that is to hold `entries` is swept: late enough that a sweep pays. */
export function evictionMark(entries: number): number {
  return Math.ceil(entries * 1.25) + 64
}
