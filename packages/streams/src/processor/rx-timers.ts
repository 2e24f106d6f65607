import { type DurableEntry, toDurableEntry } from '../serde/durable-state.ts'
import type { KeyValueStore } from '../state/store.ts'
import { TimeBuffer } from '../state/time-buffer.ts'
import type { StageParticipant } from './task-context.ts'

/**
 * Timers, one a key, by time and then in the order in which they were set. Of each time a time buffer keeps the first and the last key; each key's
 * entry names the key behind it. So a timer costs the same however many keys wait for one millisecond. None is taken out before its time: an operator
 * that wants to be called later, or no more, is asked when the timer goes off, as RxJS' own debounceTime does it.
 */
export class RxTimers implements StageParticipant {
  readonly #states: KeyValueStore<unknown, unknown>
  readonly #queue: TimeBuffer
  /** No timer stands before this: saves the look into the queue. */
  #quietUntilMs = 0

  constructor(states: KeyValueStore<unknown, unknown>, queue: KeyValueStore<unknown, unknown>) {
    this.#states = states
    this.#queue = new TimeBuffer(queue)
  }

  /** Writes a key's state with a timer; the key has none yet. */
  set(key: unknown, { state }: DurableEntry, { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): void {
    const added = { side: 0, key, value: true, headers: [] }
    const [first, last = first] = this.#queue.at(atMs)
    this.#states.put(key, { ...(state && { state }), timer: { atMs } }, nowMs)
    this.#queue.set(atMs, first === undefined ? [added] : [first, added])
    if (last !== undefined) {
      const before = toDurableEntry(this.#states.get(last.key)?.value)
      this.#states.put(last.key, { ...before, timer: { atMs, next: key } }, nowMs)
    }
    if (atMs < this.#quietUntilMs) this.#quietUntilMs = atMs
  }

  /** Takes the timer out of a key's entry; its caller writes what remains. */
  unset(key: unknown, atMs: number): DurableEntry {
    const { state } = toDurableEntry(this.#states.get(key)?.value)
    if (state?.dueMs === undefined) this.#states.put(key, state === undefined ? null : { state }, atMs)
    return state === undefined ? {} : { state }
  }

  /** Calls `goOff` for all timers before `nowMs`, those it sets meanwhile included. */
  before(nowMs: number, goOff: (key: unknown, atMs: number) => void): void {
    if (this.#quietUntilMs >= nowMs) return
    let atMs = this.#queue.next(this.#quietUntilMs)
    while (atMs !== undefined && atMs < nowMs) {
      const [first] = this.#queue.at(atMs)
      this.#queue.set(atMs, [])
      for (let link: { readonly key: unknown } | undefined = first; link !== undefined; ) {
        const { timer } = toDurableEntry(this.#states.get(link.key)?.value)
        goOff(link.key, atMs)
        link = timer !== undefined && 'next' in timer ? { key: timer.next } : undefined
      }
      atMs = this.#queue.next(atMs)
    }
    this.#quietUntilMs = atMs ?? Number.POSITIVE_INFINITY
  }

  mark(): void {}

  /** Timers that went off are back. */
  rollback(): void {
    this.#quietUntilMs = 0
    this.#queue.rollback()
  }
}
