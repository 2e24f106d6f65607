import type { Timer, Timers } from './environment.ts'

/** Node fires a longer timeout at once, so longer ones are set in stages. */
const maximumDelayMs = 2 ** 31 - 1

/** Node's timers. */
export const realTimers: Timers = {
  set: (delayMs, run, options) => new RealTimer(delayMs, run, options?.background === true),
  soon: (run) => {
    setImmediate(run)
  }
}

class RealTimer implements Timer {
  readonly #run: () => void
  readonly #background: boolean
  #handle: NodeJS.Timeout

  constructor(delayMs: number, run: () => void, background: boolean) {
    this.#run = run
    this.#background = background
    this.#handle = this.#arm(delayMs)
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }

  #arm(delayMs: number): NodeJS.Timeout {
    const stageMs = Math.min(delayMs, maximumDelayMs)
    const handle = setTimeout(() => {
      if (delayMs > stageMs) this.#handle = this.#arm(delayMs - stageMs)
      else this.#run()
    }, stageMs)
    return this.#background ? handle.unref() : handle
  }
}
