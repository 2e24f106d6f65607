import { MillraceError } from '../errors.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { TraceHash } from './trace-hash.ts'

/** Nothing is left to happen, or too much time passed, and what was waited for is still open: a deadlock or a lost wake-up. */
export class SimulationStuckError extends MillraceError {
  readonly code = 'MILLRACE_SIMULATION_STUCK'
  readonly timeMs: number

  constructor(timeMs: number, why: string) {
    super(`the simulation can not go on at ${timeMs} ms: ${why}`)
    this.timeMs = timeMs
  }
}

/** A machine's share of the schedule. Its events at one instant keep their order; those of several machines are interleaved by the seed. */
export interface Lane {
  readonly name: string
  readonly salt: number
  alive: boolean
}

/** An event that may be taken back. */
export interface ScheduledEvent {
  cancelled: boolean
}

interface Event extends ScheduledEvent {
  readonly timeMs: number
  readonly tie: number
  readonly sequence: number
  readonly lane: Lane
  readonly label: string
  readonly background: boolean
  readonly run: () => void
}

/**
 * Virtual time: events run one after the other in order of time, each followed by all promise callbacks it set off, and the clock jumps from
 * one to the next. Nothing in it waits.
 */
export class SimulatedScheduler {
  readonly #random: SeededRandom
  readonly #trace: TraceHash
  readonly #heap: Event[] = []
  #sequence = 0
  #foreground = 0
  #nowMs = 0

  constructor(random: SeededRandom, trace: TraceHash) {
    this.#random = random
    this.#trace = trace
  }

  /** Milliseconds since the simulation began, fractional. */
  get nowMs(): number {
    return this.#nowMs
  }

  lane(name: string): Lane {
    return { name, salt: this.#random.uint32(), alive: true }
  }

  /** Runs `run` in `delayMs`, unless the lane has died by then. */
  after(delayMs: number, lane: Lane, event: { label: string; background?: boolean; run: () => void }): ScheduledEvent {
    const timeMs = this.#nowMs + Math.max(0, delayMs)
    const tie = (Math.imul(lane.salt ^ Math.floor(timeMs * 1000), 0x9e3779b1) >>> 0) / 2 ** 32
    const background = event.background === true
    const entry = { ...event, timeMs, tie, sequence: this.#sequence++, lane, background, cancelled: false }
    if (!background) this.#foreground++
    push(this.#heap, entry)
    return entry
  }

  /** Runs until only background timers are left. */
  async runUntilIdle(): Promise<void> {
    await turn()
    while (this.#foreground > 0 && (await this.#step(Number.POSITIVE_INFINITY)));
  }

  /** Runs all that happens within `durationMs`, and moves the clock to its end. */
  async runFor(durationMs: number): Promise<void> {
    const endMs = this.#nowMs + durationMs
    await turn()
    while (await this.#step(endMs));
    this.#nowMs = endMs
  }

  /**
   * Runs until the promise is settled and returns what it gave.
   * @throws SimulationStuckError when nothing is left to run, or after `limitMs` of virtual time (default: one day).
   */
  async run<T>(promise: Promise<T>, limitMs = 86_400_000): Promise<T> {
    let settled = false
    const settle = () => {
      settled = true
    }
    promise.then(settle, settle)
    const endMs = this.#nowMs + limitMs
    await turn()
    while (!settled) {
      if (await this.#step(endMs)) continue
      if (settled) break
      const why = this.#heap.length === 0 ? 'nothing is left to happen' : `${limitMs} ms have passed`
      throw new SimulationStuckError(this.#nowMs, `${why}, and the promise is still pending`)
    }
    return promise
  }

  /** Runs the next event that is not later than `endMs`; false when there is none. */
  async #step(endMs: number): Promise<boolean> {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.timeMs > endMs) return false
      pop(this.#heap)
      if (!next.background) this.#foreground--
      if (next.cancelled || !next.lane.alive) continue
      this.#nowMs = next.timeMs
      this.#trace.note(`${next.lane.name} ${next.label}`, next.timeMs)
      next.run()
      await turn()
      return true
    }
  }
}

/** A turn of the real event loop: all promise callbacks have run after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function isBefore(a: Event, b: Event): boolean {
  if (a.timeMs !== b.timeMs) return a.timeMs < b.timeMs
  if (a.lane !== b.lane && a.tie !== b.tie) return a.tie < b.tie
  return a.sequence < b.sequence
}

function push(heap: Event[], event: Event): void {
  let at = heap.length
  heap.push(event)
  while (at > 0) {
    const above = (at - 1) >> 1
    if (!isBefore(event, heap[above])) break
    heap[at] = heap[above]
    at = above
  }
  heap[at] = event
}

function pop(heap: Event[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let at = 0
  for (;;) {
    let below = at * 2 + 1
    if (below >= heap.length) break
    if (below + 1 < heap.length && isBefore(heap[below + 1], heap[below])) below++
    if (!isBefore(heap[below], last)) break
    heap[at] = heap[below]
    at = below
  }
  heap[at] = last
}
