import type { Cancellable, PunctuationClock } from '../graph/process-context.ts'

/** What a node asks of its task's schedules. */
export interface PunctuationRequest {
  readonly node: string
  readonly everyMs: number
  readonly clock: PunctuationClock
  /** A promise holds the task back until it settles. */
  readonly run: (timestampMs: number) => void | Promise<void>
}

/** Notes a schedule; those that are noted while the graph is compiled are restored and committed, by node and order. */
export type Schedule = (request: PunctuationRequest) => Cancellable
