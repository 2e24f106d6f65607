import type { Environment } from '../../environment/environment.ts'

/** Lets one waiter sleep until something happens or time is over. A signal without a waiter is kept for the next one. */
export class Wakeup {
  readonly #environment: Environment
  #wake: (() => void) | undefined
  #signalled = false

  constructor(environment: Environment) {
    this.#environment = environment
  }

  signal(): void {
    if (this.#wake === undefined) this.#signalled = true
    else this.#wake()
  }

  /** Resolves at the next signal, or after `timeoutMs`; with 0 after the events that are due already. */
  wait(timeoutMs: number): Promise<void> {
    if (this.#signalled) {
      this.#signalled = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const { timers } = this.#environment
      const timer = timeoutMs > 0 ? timers.set(timeoutMs, () => this.#wake?.()) : undefined
      this.#wake = () => {
        this.#wake = undefined
        timer?.cancel()
        resolve()
      }
      if (timer === undefined) timers.soon(() => this.#wake?.())
    })
  }
}
