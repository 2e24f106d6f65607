import type { Timer, Timers } from '../environment/environment.ts'
import type { Partition } from '../partition/partition.ts'

/** One try at a fetch: its answer as of now, and whether the client should wait no longer for more. */
export interface FetchAttempt<T> {
  readonly answer: T
  readonly satisfied: boolean
}

/** What a fetch waits for. */
export interface FetchWait<T> {
  /** Reads again from the start: what was aborted or deleted meanwhile is judged anew (KAFKA-5376). */
  readonly attempt: () => FetchAttempt<T>
  readonly partitions: readonly Partition[]
  readonly maxWaitMs: number
}

/**
 * Fetches that found too little and wait for more. A fetch is tried again at most once per turn of the event loop, however
 * often its partitions advance in it, and answers with what there is when its time is up.
 */
export class DelayedFetches {
  readonly #timers: Timers
  readonly #waiting = new Set<WaitingFetch>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Number of fetches that wait. */
  get size(): number {
    return this.#waiting.size
  }

  /** Resolves with the first attempt that is satisfied, or with the last one when the time is up. */
  wait<T>(wait: FetchWait<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const fetch = new WaitingFetch(this.#timers, wait.partitions, (final) => {
        let attempt: FetchAttempt<T>
        try {
          attempt = wait.attempt()
        } catch (error) {
          this.#waiting.delete(fetch)
          reject(error)
          return true
        }
        if (!attempt.satisfied && !final) return false
        this.#waiting.delete(fetch)
        resolve(attempt.answer)
        return true
      })
      this.#waiting.add(fetch)
      fetch.start(wait.maxWaitMs)
    })
  }

  /** Has every fetch look again, after topics changed. */
  wakeAll(): void {
    for (const fetch of this.#waiting) fetch.wake()
  }

  /** Answers every fetch with what there is now. */
  finishAll(): void {
    for (const fetch of [...this.#waiting]) fetch.finish()
  }
}

/** @returns whether the fetch is answered. */
type Try = (final: boolean) => boolean

class WaitingFetch {
  readonly #timers: Timers
  readonly #partitions: readonly Partition[]
  readonly #try: Try
  #stopListening: (() => void)[] = []
  #deadline: Timer | undefined
  #woken = false
  #done = false

  constructor(timers: Timers, partitions: readonly Partition[], attempt: Try) {
    this.#timers = timers
    this.#partitions = partitions
    this.#try = attempt
  }

  start(maxWaitMs: number): void {
    this.#stopListening = this.#partitions.map((partition) => partition.onAdvance(() => this.wake()))
    this.#deadline = this.#timers.set(maxWaitMs, () => this.finish())
  }

  wake(): void {
    if (this.#woken || this.#done) return
    this.#woken = true
    this.#timers.soon(() => {
      this.#woken = false
      if (!this.#done && this.#try(false)) this.#stop()
    })
  }

  finish(): void {
    if (this.#done) return
    this.#stop()
    this.#try(true)
  }

  #stop(): void {
    this.#done = true
    this.#deadline?.cancel()
    for (const stop of this.#stopListening) stop()
  }
}
