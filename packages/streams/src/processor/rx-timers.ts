import { type DurableEntry, toDurableEntry } from '../serde/durable-state.ts'
import type { WaitingRecord } from '../serde/waiting-list.ts'
import type { KeyValueStore } from '../state/store.ts'
import { TimeBuffer } from '../state/time-buffer.ts'
import { FreshTimers, type TimerChain } from './fresh-timers.ts'
import type { StageParticipant } from './task-context.ts'

/**
 * Timers, one a key, by time and then in the order in which they were set. Each key's entry names the key behind it, so a timer costs the same however
 * many keys wait for one millisecond. Of each time the first and the last key are in memory until the next flush, and from then on in a time buffer: most
 * timers go off before that. None is taken out before its time: an operator that wants to be called later, or no more, is asked when the timer goes off, as
 * RxJS' own debounceTime does it.
 */
export class RxTimers implements StageParticipant {
  readonly #states: KeyValueStore<unknown, unknown>
  readonly #queue: TimeBuffer
  readonly #fresh = new FreshTimers()
  /** The earliest time in the queue; undefined: not known, but not before `#queuedFromMs`. */
  #queuedMs: number | undefined
  #queuedFromMs = 0

  constructor(states: KeyValueStore<unknown, unknown>, queue: KeyValueStore<unknown, unknown>) {
    this.#states = states
    this.#queue = new TimeBuffer(queue)
  }

  /** Writes a key's state with a timer; the key has none yet. */
  set(key: unknown, { state }: DurableEntry, { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): void {
    const chain = this.#fresh.add(atMs, key, nowMs)
    this.#states.put(key, state === undefined ? { timer: { atMs } } : { state, timer: { atMs } }, nowMs)
    if (chain !== undefined) this.#link(chain.last, key, { atMs, nowMs })
  }

  /** Takes the timer out of a key's entry; its caller writes what remains. */
  unset(key: unknown, atMs: number): DurableEntry {
    const { state } = toDurableEntry(this.#states.get(key)?.value)
    if (state?.dueMs === undefined) this.#states.put(key, state === undefined ? null : { state }, atMs)
    return state === undefined ? {} : { state }
  }

  /** Calls `goOff` for all timers before `nowMs`, those it sets meanwhile included. */
  before(nowMs: number, goOff: (key: unknown, atMs: number) => void): void {
    for (;;) {
      const queuedMs = this.#nextQueuedMs()
      const atMs = Math.min(queuedMs, this.#fresh.nextMs)
      if (atMs >= nowMs) return
      // What is set meanwhile for the same time is behind both.
      const fresh = this.#fresh.take(atMs)
      if (queuedMs === atMs) {
        const [first] = this.#queue.at(atMs)
        this.#queue.set(atMs, [])
        this.#queuedMs = undefined
        this.#queuedFromMs = atMs
        if (first !== undefined) this.#goThrough(first.key, atMs, goOff)
      }
      if (fresh !== undefined) this.#goThrough(fresh.first, atMs, goOff)
    }
  }

  /** The timers that still stand go into the queue. Part of a flush. */
  flush(): void {
    for (const [atMs, chain] of this.#fresh.takeAll()) {
      this.#enqueue(atMs, chain)
      this.#queuedMs = undefined
      this.#queuedFromMs = Math.min(this.#queuedFromMs, atMs)
    }
  }

  mark(): void {
    this.#fresh.mark()
  }

  /** Timers that went off are back. */
  rollback(): void {
    this.#fresh.rollback()
    this.#queuedMs = undefined
    this.#queuedFromMs = 0
    this.#queue.rollback()
  }

  #nextQueuedMs(): number {
    this.#queuedMs ??= this.#queue.next(this.#queuedFromMs) ?? Number.POSITIVE_INFINITY
    return this.#queuedMs
  }

  #goThrough(first: unknown, atMs: number, goOff: (key: unknown, atMs: number) => void): void {
    for (let link: { readonly key: unknown } | undefined = { key: first }; link !== undefined; ) {
      const { timer } = toDurableEntry(this.#states.get(link.key)?.value)
      goOff(link.key, atMs)
      link = timer !== undefined && 'next' in timer ? { key: timer.next } : undefined
    }
  }

  #enqueue(atMs: number, { first, last, setAtMs }: TimerChain): void {
    const [queuedFirst, queuedLast = queuedFirst] = this.#queue.at(atMs)
    if (queuedFirst === undefined || queuedLast === undefined) {
      this.#queue.set(atMs, first === last ? [waiting(first)] : [waiting(first), waiting(last)])
      return
    }
    this.#queue.set(atMs, [queuedFirst, waiting(last)])
    this.#link(queuedLast.key, first, { atMs, nowMs: setAtMs })
  }

  /** Names the key behind another one. */
  #link(key: unknown, next: unknown, { atMs, nowMs }: { readonly atMs: number; readonly nowMs: number }): void {
    const entry = toDurableEntry(this.#states.get(key)?.value)
    this.#states.put(key, { ...entry, timer: { atMs, next } }, nowMs)
  }
}

function waiting(key: unknown): WaitingRecord {
  return { side: 0, key, value: true, headers: [] }
}
