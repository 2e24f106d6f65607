import type { Serde } from '../serde/serde.ts'
import { identityOf, type KeyIdentity } from '../state/store-entry.ts'
import type { StageParticipant } from './task-context.ts'

/** A key (and window) that changed since the last commit, and what it was before the first change. */
export interface PendingUpdate {
  readonly key: unknown
  readonly windowStartMs: number
  /** Undefined when there was none. */
  readonly oldValue: unknown
  readonly identity: KeyIdentity
  /** Timestamp of the last deletion, used when the key is gone at the commit; the store knows the others. */
  deletedAtMs: number
}

/**
 * The changed keys of one aggregation between two commits, in the order in which they first changed. It holds keys and old values only:
 * the new values are the store's. Without windows, use window start 0.
 */
export class PendingUpdates implements StageParticipant {
  readonly #identity: (key: unknown) => KeyIdentity
  #updates: PendingUpdate[] = []
  readonly #windows = new Map<number, Map<KeyIdentity, PendingUpdate>>()
  #lastWindowStartMs = Number.NaN
  #lastWindow: Map<KeyIdentity, PendingUpdate> = new Map()
  #marked = 0

  constructor(keySerde: Serde<unknown>) {
    this.#identity = identityOf(keySerde)
  }

  /** Notes a change; only the first of a key and window counts. */
  note(key: unknown, windowStartMs: number, oldValue: unknown): PendingUpdate {
    const window = windowStartMs === this.#lastWindowStartMs ? this.#lastWindow : this.#windowAt(windowStartMs)
    const identity = this.#identity(key)
    let update = window.get(identity)
    if (update === undefined) {
      update = { key, windowStartMs, oldValue, identity, deletedAtMs: -1 }
      window.set(identity, update)
      this.#updates.push(update)
    }
    return update
  }

  /** Hands over what is pending and begins anew. */
  take(): readonly PendingUpdate[] {
    const updates = this.#updates
    this.#updates = []
    this.#windows.clear()
    this.#lastWindowStartMs = Number.NaN
    this.#marked = 0
    return updates
  }

  mark(): void {
    this.#marked = this.#updates.length
  }

  rollback(): void {
    while (this.#updates.length > this.#marked) {
      const update = this.#updates.pop()
      if (update) this.#windows.get(update.windowStartMs)?.delete(update.identity)
    }
  }

  #windowAt(windowStartMs: number): Map<KeyIdentity, PendingUpdate> {
    let window = this.#windows.get(windowStartMs)
    if (window === undefined) {
      window = new Map()
      this.#windows.set(windowStartMs, window)
    }
    this.#lastWindowStartMs = windowStartMs
    this.#lastWindow = window
    return window
  }
}
