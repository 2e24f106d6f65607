import type { Clock, Timers } from '../../environment/environment.ts'

/** How fast compaction may go. */
export interface PaceOptions {
  readonly timers: Timers
  readonly clock: Clock
  /** Bytes read and written in a second; `Infinity` for no limit. */
  readonly maxBytesPerSecond: number
}

/**
 * Lets everybody else go first: after each slice of work compaction comes back one turn of the event loop later, or later still when it would
 * exceed its rate.
 */
export class Pace {
  readonly #options: PaceOptions
  #spanStartMs = 0
  #spanBytes = 0

  constructor(options: PaceOptions) {
    this.#options = options
  }

  /** Resolves when the next slice may begin. */
  rest(sliceBytes: number): Promise<void> {
    const { timers } = this.#options
    const delayMs = this.#delayMs(sliceBytes)
    return new Promise((resolve) => {
      if (delayMs > 0) timers.set(delayMs, resolve)
      else timers.soon(resolve)
    })
  }

  #delayMs(sliceBytes: number): number {
    const { clock, maxBytesPerSecond } = this.#options
    const nowMs = clock.monotonicMs()
    if (this.#spanBytes === 0) this.#spanStartMs = nowMs
    this.#spanBytes += sliceBytes
    const earliestMs = this.#spanStartMs + (1_000 * this.#spanBytes) / maxBytesPerSecond
    if (earliestMs > nowMs) return earliestMs - nowMs
    // Slower than allowed: what was not used is not saved up.
    this.#spanBytes = 0
    return 0
  }
}
