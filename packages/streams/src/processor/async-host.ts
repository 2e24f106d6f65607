import type { Environment } from '@millrace/log'
import type { StreamRecord } from '../graph/record.ts'

/** Applies the error policy to a record, after the call that processed it has returned: returns when the task goes on without it, else throws. */
export type FailureRoute = (error: unknown) => void

/** What an asynchronous step needs of its task. */
export interface AsyncHost {
  readonly environment: Pick<Environment, 'timers' | 'random'>
  /** The task looks after the step from now on. */
  join(steps: AsyncSteps): void
  /** What is to become of a record, at hand now, that fails later. */
  failureOf(record: StreamRecord): FailureRoute
  /** Runs what follows from a result as a unit: all of it stays or, where a policy goes on after an error, nothing. */
  run(finish: () => void, failed: FailureRoute): void | Promise<void>
  /** A call has ended: there may be something to emit. */
  ended(): void
  /** Resolves when the next call ends. */
  changed(): Promise<void>
}

/** An asynchronous step, as its task sees it. */
export interface AsyncSteps {
  /** Records that were taken and have not gone on. A commit must not cover them. */
  readonly inFlight: number
  /** Calls that are at work, and do not wait to be repeated. */
  readonly atWork: number
  /** No record is to be processed before some have gone on. */
  readonly full: boolean
  /** Whether `emit` would do anything. */
  readonly ready: boolean
  /** What was taken is not undone any more: work on it begins. */
  admit(): void
  /** Sends on what is done and next. @throws what no policy covers. */
  emit(): void | Promise<void>
}
