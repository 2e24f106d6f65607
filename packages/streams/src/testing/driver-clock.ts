import type { Environment, Timer } from '@millrace/log'

/** A wall clock that moves only when told to, and the timers by it. Its random source always says the greatest: what is random is at its longest. */
export class DriverClock implements Pick<Environment, 'timers' | 'random'> {
  #nowMs: number
  readonly #set = new Set<{ readonly atMs: number; readonly run: () => void }>()

  constructor(nowMs: number) {
    this.#nowMs = nowMs
  }

  /** Milliseconds since the epoch. */
  get nowMs(): number {
    return this.#nowMs
  }

  readonly timers: Environment['timers'] = {
    set: (delayMs, run): Timer => {
      const timer = { atMs: this.#nowMs + delayMs, run }
      this.#set.add(timer)
      return { cancel: () => this.#set.delete(timer) }
    },
    soon: (run) => {
      void Promise.resolve().then(run)
    }
  }

  readonly random: Environment['random'] = {
    bytes: (length) => Buffer.alloc(length, 0xff),
    uint32: () => 0xffff_ffff
  }

  /** Moves the clock, and runs the timers on the way, each at its time; of one time the first set first. */
  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (let due = this.#firstUntil(endMs); due !== undefined; due = this.#firstUntil(endMs)) {
      this.#set.delete(due)
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      due.run()
    }
    this.#nowMs = endMs
  }

  #firstUntil(endMs: number): { readonly atMs: number; readonly run: () => void } | undefined {
    let first: { readonly atMs: number; readonly run: () => void } | undefined
    for (const timer of this.#set) if (timer.atMs <= endMs && (!first || timer.atMs < first.atMs)) first = timer
    return first
  }
}
