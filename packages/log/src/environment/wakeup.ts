import type { Environment } from './environment.ts'

/** Lets one waiter sleep until something happens or time is over. A signal without a waiter is kept for the next one. */
export class Wakeup {
  readonly #environment: Environment
  #wake: (() => void) | undefined
  #signalled = false

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Wakes who waits, or lets the next wait end at once. */
  signal(): void {
    if (this.#wake === undefined) this.#signalled = true
    else this.#wake()
  }

  /** Resolves at the next signal, or after `timeoutMs`: with 0 after the events that are due already, without one never. */
  wait(timeoutMs?: number): Promise<void> {
    if (this.#signalled) {
      this.#signalled = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const { timers } = this.#environment
      // Time that is over wakes this wait only: the next one may have begun by then.
      const over = () => {
        if (this.#wake === wake) wake()
      }
      const timer = timeoutMs !== undefined && timeoutMs > 0 ? timers.set(timeoutMs, over) : undefined
      const wake = () => {
        this.#wake = undefined
        timer?.cancel()
        resolve()
      }
      this.#wake = wake
      if (timeoutMs !== undefined && timer === undefined) timers.soon(over)
    })
  }
}
