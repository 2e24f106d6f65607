import type { Serde } from '../serde/serde.ts'
import type { StoreCell, Timestamped } from './store.ts'

const DIRTY = 1
const PENDING = 2
const BRIEF = 4
const WAS_ABSENT = 8
const USED = 16

/** One key (and window) of a store in memory: in the write buffer while it is dirty, in the clean cache after. */
export class StoreEntry implements StoreCell {
  key: unknown
  /** 0 in a key-value store. */
  windowStartMs: number
  /** Session stores only; there the session's end takes the place of the window's start. */
  sessionStartMs: number | undefined
  /** Undefined: absent. Replaced as a whole, never changed, so that who got it keeps it; but for the lists of a window index. */
  current: Timestamped<unknown> | undefined
  /** The time of the deletion, when the current value is absent because of one. */
  deletedAtMs = 0
  /** What was encoded for the changelog's record and is needed again for the engine's batch. */
  #encoded: { key: Buffer | undefined; value: Buffer | undefined } | undefined
  /** A bit for each of the flags below. There are as many entries as windows: a field for each would be a third of what they weigh. */
  #flags = USED

  constructor(key: unknown, windowStartMs: number, current: Timestamped<unknown> | undefined) {
    this.key = key
    this.windowStartMs = windowStartMs
    this.current = current
  }

  get dirty(): boolean {
    return (this.#flags & DIRTY) !== 0
  }

  set dirty(is: boolean) {
    this.#flags = is ? this.#flags | DIRTY : this.#flags & ~DIRTY
  }

  get pending(): boolean {
    return (this.#flags & PENDING) !== 0
  }

  set pending(is: boolean) {
    this.#flags = is ? this.#flags | PENDING : this.#flags & ~PENDING
  }

  /** Not to be kept in memory once it is absent. */
  get brief(): boolean {
    return (this.#flags & BRIEF) !== 0
  }

  set brief(is: boolean) {
    this.#flags = is ? this.#flags | BRIEF : this.#flags & ~BRIEF
  }

  /** It was absent when it became dirty: if it is absent again, nothing happened that a changelog or an engine must know. */
  get wasAbsent(): boolean {
    return (this.#flags & WAS_ABSENT) !== 0
  }

  set wasAbsent(is: boolean) {
    this.#flags = is ? this.#flags | WAS_ABSENT : this.#flags & ~WAS_ABSENT
  }

  /** Since the last sweep of the cache. */
  get used(): boolean {
    return (this.#flags & USED) !== 0
  }

  set used(is: boolean) {
    this.#flags = is ? this.#flags | USED : this.#flags & ~USED
  }

  /** Whether it came and went since the last commit. */
  get vanished(): boolean {
    return this.current === undefined && this.wasAbsent
  }

  /** Of what is not committed: it is as if it had been there from the first. */
  moveTo({ key, windowStartMs, sessionStartMs }: Pick<StoreEntry, 'key' | 'windowStartMs' | 'sessionStartMs'>): void {
    this.key = key
    this.windowStartMs = windowStartMs
    this.sessionStartMs = sessionStartMs
    this.#encoded = undefined
  }

  encodedKey(serde: Serde<unknown>): Buffer {
    this.#encoded ??= { key: undefined, value: undefined }
    this.#encoded.key ??= serde.encode(this.key)
    return this.#encoded.key
  }

  /** Null when absent. */
  encodedValue(serde: Serde<unknown>): Buffer | null {
    if (this.current === undefined) return null
    this.#encoded ??= { key: undefined, value: undefined }
    this.#encoded.value ??= serde.encode(this.current.value)
    return this.#encoded.value
  }

  /** Its value is another one. */
  forgetEncodedValue(): void {
    if (this.#encoded !== undefined) this.#encoded.value = undefined
  }

  /** Bytes are needed for the time of a commit only: kept, they would be most of what the cache weighs. */
  forgetEncoded(): void {
    this.#encoded = undefined
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
