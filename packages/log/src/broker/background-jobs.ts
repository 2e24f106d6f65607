import type { Timer, Timers } from '../environment/environment.ts'
import type { OnBrokerEvent } from './event.ts'

/** Work that comes back. */
export interface Job {
  readonly name: string
  readonly intervalMs: number
  run(): void | Promise<void>
}

/**
 * Runs jobs at their intervals, each one after its last run has ended. They keep no process alive. A job that fails is reported and runs
 * again at its next time.
 */
export class BackgroundJobs {
  readonly #timers: Timers
  readonly #report: OnBrokerEvent
  readonly #pending = new Map<Job, Timer>()
  readonly #running = new Set<Promise<void>>()
  #stopped = false

  constructor(timers: Timers, report: OnBrokerEvent) {
    this.#timers = timers
    this.#report = report
  }

  start(job: Job): void {
    if (this.#stopped) return
    this.#pending.set(
      job,
      this.#timers.set(
        job.intervalMs,
        () => {
          const run = this.#run(job).then(() => {
            this.#running.delete(run)
            this.start(job)
          })
          this.#running.add(run)
        },
        { background: true }
      )
    )
  }

  /** Starts no job any more; resolves when those that run have ended. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#pending.values()) timer.cancel()
    this.#pending.clear()
    await Promise.all(this.#running)
  }

  async #run(job: Job): Promise<void> {
    try {
      await job.run()
    } catch (error) {
      this.#report({ kind: 'job-failed', job: job.name, error })
    }
  }
}
