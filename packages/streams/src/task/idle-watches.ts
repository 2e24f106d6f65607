import type { IdleRequest, IdleWatch } from '../processor/idle-closing.ts'

interface Watched extends IdleRequest {
  lastMs: number
  /** Something came since it was idle last. */
  waiting: boolean
}

/** The steps of one task that want to know when nothing has come to them for a while, by the time of day. */
export class IdleWatches {
  readonly #nowMs: () => number
  readonly #watched: Watched[] = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** The time counts from now on: also for what came in an earlier life of the task. */
  readonly watch = (request: IdleRequest): IdleWatch => {
    const watched = { ...request, lastMs: this.#nowMs(), waiting: true }
    this.#watched.push(watched)
    return {
      touch: () => {
        watched.lastMs = this.#nowMs()
        watched.waiting = true
      }
    }
  }

  /** Whether any has been idle for as long as it asked for. */
  due(nowMs: number): boolean {
    return this.#watched.some((watched) => isDue(watched, nowMs))
  }

  /** Tells those that are idle, each once until something comes again. `run` calls one of them. */
  fire(nowMs: number, run: (request: IdleRequest) => void | Promise<void>): void | Promise<void> {
    const watched = this.#watched.find((each) => isDue(each, nowMs))
    if (watched === undefined) return
    watched.waiting = false
    const running = run(watched)
    return running ? running.then(() => this.fire(nowMs, run)) : this.fire(nowMs, run)
  }
}

function isDue({ waiting, lastMs, idleMs }: Watched, nowMs: number): boolean {
  return waiting && nowMs - lastMs >= idleMs
}
