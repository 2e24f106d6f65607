import type { Environment, Timer } from '@millrace/log'

/** Gives a request up when its time is over, or when a signal says so. */
export class Deadline {
  readonly #environment: Environment
  readonly #outer: AbortSignal | undefined
  readonly #controller = new AbortController()
  readonly #stop = () => this.#controller.abort()
  #timer: Timer | undefined
  #expired = false

  constructor(environment: Environment, outer?: AbortSignal) {
    this.#environment = environment
    this.#outer = outer
    if (outer?.aborted) this.#stop()
    else outer?.addEventListener('abort', this.#stop)
  }

  /** For the request. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Whether time was over, rather than the signal aborted. */
  get expired(): boolean {
    return this.#expired
  }

  /** From now on so many milliseconds are left. */
  set(leftMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#environment.timers.set(leftMs, () => {
      this.#expired = true
      this.#controller.abort()
    })
  }

  /** No time is counted until it is set again. */
  rest(): void {
    this.#timer?.cancel()
  }

  /** To be called when the request is over; gives up one that is not. */
  close(): void {
    this.rest()
    this.#outer?.removeEventListener('abort', this.#stop)
    this.#controller.abort()
  }
}
