import type { Cancellable, PunctuationClock } from '../graph/process-context.ts'
import { NO_TIME_MS } from '../processor/operator-time.ts'
import type { PunctuationRequest } from '../processor/punctuation.ts'
import type { PunctuationTime, StreamTime } from './stream-time.ts'

interface Scheduled {
  readonly request: PunctuationRequest
  readonly time: PunctuationTime
  cancelled: boolean
}

/** The schedules of one task, by both clocks. When each is due next is part of the task's time state. */
export class Punctuations {
  readonly #time: StreamTime
  readonly #nowMs: () => number
  #scheduled: readonly Scheduled[] = []
  /** Schedules that were made while the graph was compiled, by node. */
  readonly #ordinals = new Map<string, number>()
  #begun = false
  /** The first due time by stream time: nothing to do for a record before it. */
  #nextStreamMs = Number.POSITIVE_INFINITY

  constructor(time: StreamTime, nowMs: () => number) {
    this.#time = time
    this.#nowMs = nowMs
  }

  /** @see `ProcessContext.schedule` */
  schedule(request: PunctuationRequest): Cancellable {
    const scheduled = { request, time: this.#timeOf(request.node), cancelled: false }
    this.#scheduled = [...this.#scheduled, scheduled]
    if (this.#begun) this.#start(scheduled)
    return {
      cancel: () => {
        scheduled.cancelled = true
        this.#scheduled = this.#scheduled.filter((other) => other !== scheduled)
        this.#findNextStream()
      }
    }
  }

  /** The saved times are restored: schedules without one begin now. */
  begin(): void {
    this.#begun = true
    for (const scheduled of this.#scheduled) this.#start(scheduled)
  }

  /** Whether a record that brought stream time here has to be followed by a punctuation. */
  dueAtStreamTime(streamTimeMs: number): boolean {
    return streamTimeMs >= this.#nextStreamMs
  }

  /** Whether the time of day has come for any. */
  dueAtWallClock(nowMs: number): boolean {
    return this.#firstDue('wall-clock', nowMs) !== undefined
  }

  /**
   * Runs what is due, the longest due first, each once however many intervals passed; it is due again at the next point of its grid. `run` calls
   * one of them.
   */
  fire(
    clock: PunctuationClock,
    timeMs: number,
    run: (request: PunctuationRequest) => void | Promise<void>
  ): void | Promise<void> {
    for (let due = this.#firstDue(clock, timeMs); due !== undefined; due = this.#firstDue(clock, timeMs)) {
      const { request, time } = due
      // Before the call, so that an error that a policy lets go is not met again at once.
      time.nextMs += Math.floor((timeMs - time.nextMs) / request.everyMs) * request.everyMs + request.everyMs
      this.#findNextStream()
      const running = run(request)
      if (running) return running.then(() => this.fire(clock, timeMs, run))
    }
  }

  #firstDue(clock: PunctuationClock, timeMs: number): Scheduled | undefined {
    let first: Scheduled | undefined
    for (const scheduled of this.#scheduled) {
      if (scheduled.request.clock !== clock || scheduled.time.nextMs > timeMs) continue
      if (first === undefined || scheduled.time.nextMs < first.time.nextMs) first = scheduled
    }
    return first
  }

  #timeOf(node: string): PunctuationTime {
    // A schedule that a record makes is gone with a restart: nothing would make it again.
    if (this.#begun) return { nextMs: NO_TIME_MS }
    const ordinal = this.#ordinals.get(node) ?? 0
    this.#ordinals.set(node, ordinal + 1)
    return this.#time.punctuation(`${node}#${ordinal}`)
  }

  #start({ request, time }: Scheduled): void {
    if (time.nextMs === NO_TIME_MS) time.nextMs = request.clock === 'stream-time' ? 0 : this.#nowMs() + request.everyMs
    this.#findNextStream()
  }

  #findNextStream(): void {
    let nextMs = Number.POSITIVE_INFINITY
    for (const { request, time } of this.#scheduled) {
      if (request.clock === 'stream-time' && time.nextMs < nextMs) nextMs = time.nextMs
    }
    this.#nextStreamMs = nextMs
  }
}
