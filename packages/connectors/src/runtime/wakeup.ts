import type { Environment } from '@millrace/log'

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

  /** Resolves at the next signal, or after `timeoutMs`; without one, only at a signal. */
  wait(timeoutMs?: number): Promise<void> {
    if (this.#signalled) {
      this.#signalled = false
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : this.#environment.timers.set(timeoutMs, () => this.#wake?.())
      this.#wake = () => {
        this.#wake = undefined
        timer?.cancel()
        resolve()
      }
    })
  }
}
