import type { StageParticipant } from './task-context.ts'
import { TimeHeap } from './time-heap.ts'

/** The keys whose timers stand at one time, in the order in which they were set: each key's entry names the one behind it. */
export interface TimerChain {
  readonly first: unknown
  readonly last: unknown
  /** When the first one was set, milliseconds. */
  readonly setAtMs: number
}

/** Timers that were set since the last commit: most go off before the next one, and leave no trace in a store. */
export class FreshTimers implements StageParticipant {
  readonly #chains = new Map<number, TimerChain>()
  readonly #times = new TimeHeap<number>((atMs) => atMs)
  #marked = false
  readonly #undoTimes: number[] = []
  readonly #undoChains: (TimerChain | undefined)[] = []

  /** The earliest time that one stands at. */
  get nextMs(): number {
    return this.#times.peek() ?? Number.POSITIVE_INFINITY
  }

  /** @returns the timers that stand at this time already. */
  add(atMs: number, key: unknown, setAtMs: number): TimerChain | undefined {
    const chain = this.#chains.get(atMs)
    this.#note(atMs, chain)
    if (chain === undefined) this.#times.add(atMs)
    this.#chains.set(atMs, chain === undefined ? { first: key, last: key, setAtMs } : { ...chain, last: key })
    return chain
  }

  /** Takes away those of the earliest time, which is `atMs`; there may be none. */
  take(atMs: number): TimerChain | undefined {
    if (this.#times.peek() !== atMs) return undefined
    const chain = this.#chains.get(atMs)
    this.#note(atMs, chain)
    this.#chains.delete(atMs)
    this.#times.take()
    return chain
  }

  /** Takes all of them away for good, in the order in which their times were first used. */
  takeAll(): readonly (readonly [atMs: number, chain: TimerChain])[] {
    const all = [...this.#chains]
    this.#chains.clear()
    this.#refill()
    this.#marked = false
    this.#forgetUndo()
    return all
  }

  mark(): void {
    this.#marked = true
    if (this.#undoTimes.length > 0) this.#forgetUndo()
  }

  rollback(): void {
    for (let i = this.#undoTimes.length - 1; i >= 0; i--) {
      const chain = this.#undoChains[i]
      if (chain === undefined) this.#chains.delete(this.#undoTimes[i])
      else this.#chains.set(this.#undoTimes[i], chain)
    }
    this.#refill()
    this.#forgetUndo()
  }

  #note(atMs: number, chain: TimerChain | undefined): void {
    if (!this.#marked) return
    this.#undoTimes.push(atMs)
    this.#undoChains.push(chain)
  }

  #forgetUndo(): void {
    this.#undoTimes.length = 0
    this.#undoChains.length = 0
  }

  #refill(): void {
    while (this.#times.take() !== undefined);
    for (const atMs of this.#chains.keys()) this.#times.add(atMs)
  }
}
