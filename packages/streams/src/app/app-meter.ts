import type { Clock } from '@millrace/log'
import type { AppMetrics } from '../observe/app-state.ts'
import type { RunningTask } from './running-task.ts'
import type { StreamThread } from './stream-thread.ts'

/** Where the figures come from. */
export interface MeteredApp {
  thread(): StreamThread | undefined
  imbalance(): number
}

/** Counts what an application does; reading it costs the hot path nothing. */
export class AppMeter {
  readonly #clock: Clock
  readonly #of: MeteredApp
  #commits = 0
  #lastCommitAtMs: number | undefined
  #lastCommitDurationMs = 0

  constructor(clock: Clock, of: MeteredApp) {
    this.#clock = clock
    this.#of = of
  }

  committed(durationMs: number): void {
    this.#commits++
    this.#lastCommitAtMs = this.#clock.nowMs()
    this.#lastCommitDurationMs = durationMs
  }

  read(): AppMetrics {
    const thread = this.#of.thread()
    const tasks = thread?.tasks ?? []
    return {
      processedRecords: thread?.processedRecords ?? 0,
      droppedRecords: droppedBy(tasks),
      commits: this.#commits,
      ...(this.#lastCommitAtMs === undefined ? {} : { lastCommitAtMs: this.#lastCommitAtMs }),
      lastCommitDurationMs: this.#lastCommitDurationMs,
      lag: thread?.lag() ?? 0,
      imbalance: this.#of.imbalance(),
      bufferedBytes: tasks.reduce((sum, task) => sum + task.stores.bufferedBytes, 0)
    }
  }
}

function droppedBy(tasks: readonly RunningTask[]): Record<string, number> {
  const dropped: Record<string, number> = {}
  for (const task of tasks) {
    for (const counter of task.task.dropped()) {
      for (const [reason, count] of Object.entries(counter.counts)) {
        if (count > 0) dropped[reason] = (dropped[reason] ?? 0) + count
      }
    }
  }
  return dropped
}
