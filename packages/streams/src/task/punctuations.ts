import type { Cancellable, PunctuationClock } from '../graph/process-context.ts'
import { NO_TIME_MS } from '../processor/operator-time.ts'
import type { PunctuationRequest } from '../processor/punctuation.ts'
import { TimeHeap } from '../processor/time-heap.ts'
import type { PunctuationTime, StreamTime } from './stream-time.ts'

/** More schedules than a task has. */
const MOST_PLACES = 65_536

interface Scheduled {
  readonly request: PunctuationRequest
  readonly time: PunctuationTime
  /** `time.nextMs`, as it was when this got its place in the heap. */
  dueMs: number
  cancelled: boolean
}

/** The schedules of one task, by both clocks. When each is due next is part of the task's time state. */
export class Punctuations {
  readonly #time: StreamTime
  readonly #nowMs: () => number
  /** Until they begin: in the order of their nodes. */
  #scheduled: Scheduled[] = []
  readonly #byClock = {
    'stream-time': new TimeHeap<Scheduled>(({ dueMs }) => dueMs),
    'wall-clock': new TimeHeap<Scheduled>(({ dueMs }) => dueMs)
  }
  /** Schedules that were made while the graph was compiled, by node. */
  readonly #ordinals = new Map<string, number>()
  #begun = false
  #fired = 0

  constructor(time: StreamTime, nowMs: () => number) {
    this.#time = time
    this.#nowMs = nowMs
  }

  /** @see `ProcessContext.schedule` */
  schedule(request: PunctuationRequest): Cancellable {
    const scheduled = { request, time: this.#timeOf(request.node), dueMs: 0, cancelled: false }
    if (this.#begun) {
      this.#start(scheduled)
      this.#byClock[request.clock].add(scheduled)
    } else this.#scheduled.push(scheduled)
    return {
      cancel: () => {
        scheduled.cancelled = true
      }
    }
  }

  /**
   * The saved times are restored: schedules without one begin now.
   * @param nodes Names in the order of the graph: of what is due at one time, the first made of the first node is the first to run.
   */
  begin(nodes: readonly string[] = []): void {
    this.#begun = true
    const order = new Map(nodes.map((node, index) => [node, index]))
    const orderOf = ({ request }: Scheduled): number => order.get(request.node) ?? -1
    const placeOf = ({ time }: Scheduled): number => (time.place < 0 ? Number.POSITIVE_INFINITY : time.place)
    this.#fired = Math.max(0, ...this.#scheduled.map(({ time }) => Math.floor(time.place / MOST_PLACES)))
    for (const scheduled of this.#scheduled.sort((one, other) => orderOf(one) - orderOf(other))) this.#start(scheduled)
    const byPlace = this.#scheduled.toSorted((one, other) => compare(placeOf(one), placeOf(other)))
    for (const scheduled of byPlace) this.#byClock[scheduled.request.clock].add(scheduled)
    this.#scheduled = []
  }

  /** Whether a record that brought stream time here has to be followed by a punctuation. */
  dueAtStreamTime(streamTimeMs: number): boolean {
    return this.#firstDue('stream-time', streamTimeMs) !== undefined
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
    const heap = this.#byClock[clock]
    for (let due = this.#firstDue(clock, timeMs); due !== undefined; due = this.#firstDue(clock, timeMs)) {
      const { request, time } = due
      // Before the call, so that an error that a policy lets go is not met again at once.
      time.nextMs += Math.floor((timeMs - time.nextMs) / request.everyMs) * request.everyMs + request.everyMs
      heap.take()
      due.dueMs = time.nextMs
      heap.add(due)
      this.#notePlaces(heap)
      const running = run(request)
      if (running) return running.then(() => this.fire(clock, timeMs, run))
    }
  }

  /** The first that is due; those that were cancelled go on the way. */
  #firstDue(clock: PunctuationClock, timeMs: number): Scheduled | undefined {
    const heap = this.#byClock[clock]
    for (let first = heap.peek(); first !== undefined && first.dueMs <= timeMs; first = heap.peek()) {
      if (!first.cancelled) return first
      heap.take()
    }
    return undefined
  }

  #timeOf(node: string): PunctuationTime {
    // A schedule that a record makes is gone with a restart: nothing would make it again.
    if (this.#begun) return { nextMs: NO_TIME_MS, place: NO_TIME_MS }
    const ordinal = this.#ordinals.get(node) ?? 0
    this.#ordinals.set(node, ordinal + 1)
    return this.#time.punctuation(`${node}#${ordinal}`)
  }

  #start(scheduled: Scheduled): void {
    const { request, time } = scheduled
    if (time.nextMs === NO_TIME_MS) time.nextMs = request.clock === 'stream-time' ? 0 : this.#nowMs() + request.everyMs
    scheduled.dueMs = time.nextMs
  }

  /** For a restart, so that it changes nothing of the order of what is due at the same time. */
  #notePlaces(heap: TimeHeap<Scheduled>): void {
    this.#fired++
    for (const [place, { time }] of heap.kept.entries()) time.place = this.#fired * MOST_PLACES + place
  }
}

function compare(one: number, other: number): number {
  return one === other ? 0 : one - other
}
