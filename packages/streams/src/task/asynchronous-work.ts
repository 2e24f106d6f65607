import type { Environment } from '@millrace/log'
import type { StreamRecord } from '../graph/record.ts'
import type { AsyncHost, AsyncSteps, FailureRoute } from '../processor/async-host.ts'

/** What the work of a task that outlives its records is done with. */
export interface AsynchronousWorkParts {
  readonly environment: Pick<Environment, 'timers' | 'random'>
  /** Runs a unit under the task's stage. */
  run(finish: () => void, failed: FailureRoute): void | Promise<void>
  /** What is to become of a record from the log, or of a flush, that fails later. */
  failureOf(record: StreamRecord): FailureRoute
  /** Somebody may have to call the task. */
  wake(): void
}

/** The asynchronous steps of a task, and what of them is to be done between two records. Without such a step nothing is ever done here. */
export class AsynchronousWork implements AsyncHost {
  readonly #parts: AsynchronousWorkParts
  readonly #steps: AsyncSteps[] = []
  /** Of the record whose result is going through the graph. */
  #failure: FailureRoute | undefined
  #waiters: (() => void)[] = []

  constructor(parts: AsynchronousWorkParts) {
    this.#parts = parts
  }

  get environment(): Pick<Environment, 'timers' | 'random'> {
    return this.#parts.environment
  }

  /** Whether the task has any such step. */
  get any(): boolean {
    return this.#steps.length > 0
  }

  /** Records that were taken by a step and have not gone on. */
  get inFlight(): number {
    return this.#steps.reduce((sum, step) => sum + step.inFlight, 0)
  }

  /** Calls at work. */
  get atWork(): number {
    return this.#steps.reduce((sum, step) => sum + step.atWork, 0)
  }

  /** A step takes no more for now. */
  get full(): boolean {
    return this.#steps.some((step) => step.full)
  }

  /** There are results to send on. */
  get ready(): boolean {
    return this.#steps.some((step) => step.ready)
  }

  /** What was processed last is not undone any more: work on what steps took of it begins. */
  admit(): void {
    for (const step of this.#steps) step.admit()
  }

  /** Sends on what is done, later steps first: that makes room for the earlier ones. */
  emit(): void | Promise<void> {
    for (const step of this.#steps) {
      const running = step.emit()
      if (running) return running.then(() => this.emit())
    }
  }

  join(step: AsyncSteps): void {
    this.#steps.push(step)
  }

  failureOf(record: StreamRecord): FailureRoute {
    return this.#failure ?? this.#parts.failureOf(record)
  }

  run(finish: () => void, failed: FailureRoute): void | Promise<void> {
    this.#failure = failed
    const over = (): void => {
      this.#failure = undefined
      this.admit()
    }
    const running = this.#parts.run(finish, failed)
    if (running) return running.then(over)
    over()
  }

  ended(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter()
    this.#parts.wake()
  }

  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve)
    })
  }
}
