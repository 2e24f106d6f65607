/** Before the first record there is no time. */
export const NO_TIME_MS = -1

/**
 * Time as one operator of one task knows it, in milliseconds. It is state: committed, and restored, so that a crash changes no decision
 * about late records. It is not the task's stream time: filters and repartitions before the operator hold it back.
 */
export class OperatorTime {
  readonly node: string
  /** Greatest timestamp that reached the operator. */
  observedMs: number = NO_TIME_MS
  /** The observed time as of the last flush: after a restart, as of the last commit. */
  flushedMs: number = NO_TIME_MS
  /** Windows that end at or before this have had their final result emitted, or will have it by the next flush. */
  closedMs: number = NO_TIME_MS
  #marked = { observedMs: NO_TIME_MS, closedMs: NO_TIME_MS }

  constructor(node: string) {
    this.node = node
  }

  /** Remembers the times for `rollback`. */
  mark(): void {
    this.#marked.observedMs = this.observedMs
    this.#marked.closedMs = this.closedMs
  }

  rollback(): void {
    this.observedMs = this.#marked.observedMs
    this.closedMs = this.#marked.closedMs
  }
}

/** The latest of the observed times: what the stores know, whichever input it came by. */
export function newestMs(times: readonly OperatorTime[]): number {
  let newest = NO_TIME_MS
  for (const { observedMs } of times) if (observedMs > newest) newest = observedMs
  return newest
}
