import type { KeyIdentity } from '../state/store-entry.ts'
import type { AsyncOutcome } from './async-call.ts'

/** A record whose asynchronous work is under way. */
export interface Underway {
  /** Undefined until the call has ended. */
  readonly outcome: AsyncOutcome | undefined
  /** What equal keys share; undefined: the record has no key, or its key does not matter. */
  readonly key: KeyIdentity | undefined
}

/** Which calls may begin, and which results are next. */
export interface CallOrder<U extends Underway> {
  /** A record has come. */
  admit(one: U): void
  /** The next whose call may begin; it counts as begun. */
  begin(): U | undefined
  /** The call of one has ended. */
  ended(one: U): void
  /** The one whose result is next; undefined while it is not there. */
  readonly next: U | undefined
  /** The result of `next` goes on. */
  gone(): void
}

/** Calls run side by side, results go on in the order in which the records came. */
export class PartitionOrder<U extends Underway> implements CallOrder<U> {
  readonly #waiting: U[] = []
  readonly #all: U[] = []

  admit(one: U): void {
    this.#waiting.push(one)
    this.#all.push(one)
  }

  begin(): U | undefined {
    return this.#waiting.shift()
  }

  ended(): void {}

  get next(): U | undefined {
    const first = this.#all[0]
    return first?.outcome === undefined ? undefined : first
  }

  gone(): void {
    this.#all.shift()
  }
}

/**
 * Calls for one key run one after the other, those of other keys beside them; results go on as they come. After a call that failed its key stands still
 * until it is decided what becomes of the record. Records without a key have no order among them.
 */
export class KeyOrder<U extends Underway> implements CallOrder<U> {
  /** Of each key under way, the records that wait behind the first. */
  readonly #behind = new Map<KeyIdentity, U[]>()
  readonly #waiting: U[] = []
  readonly #ended: U[] = []

  admit(one: U): void {
    const { key } = one
    const behind = key === undefined ? undefined : this.#behind.get(key)
    if (behind !== undefined) behind.push(one)
    else {
      if (key !== undefined) this.#behind.set(key, [])
      this.#waiting.push(one)
    }
  }

  begin(): U | undefined {
    return this.#waiting.shift()
  }

  ended(one: U): void {
    this.#ended.push(one)
    if (one.outcome && 'value' in one.outcome) this.#release(one)
  }

  get next(): U | undefined {
    return this.#ended[0]
  }

  gone(): void {
    const one = this.#ended.shift()
    if (one?.outcome && 'error' in one.outcome) this.#release(one)
  }

  #release({ key }: U): void {
    if (key === undefined) return
    const next = this.#behind.get(key)?.shift()
    if (next === undefined) this.#behind.delete(key)
    else this.#waiting.push(next)
  }
}
