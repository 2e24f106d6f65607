import type { WindowDefinition } from '../graph/node.ts'
import type { OperatorTime } from './operator-time.ts'
import type { StageParticipant } from './task-context.ts'

/** Starts of windows that closed: from `fromMs`, inclusive, to `toMs`, exclusive. */
export interface ClosingRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The windows that closed since the last flush, as ranges of their starts. Which windows close is decided record by record, so it does not
 * depend on when commits happen.
 *
 * Without a retention every window is in some range, once. With one, a window that is older than it when it closes, counted back from the
 * start of the newest window, is gone without a result, as in Kafka Streams, whose retention is size and grace unless told otherwise: there a
 * gap in the input loses the results before it.
 */
export class ClosingRanges implements StageParticipant {
  readonly #window: WindowDefinition
  readonly #time: OperatorTime
  readonly #retentionMs: number
  #ranges: ClosingRange[] = []
  #marked: ClosingRange[] = []

  /** @param retentionMs Infinity: none. */
  constructor(window: WindowDefinition, time: OperatorTime, retentionMs: number) {
    this.#window = window
    this.#time = time
    this.#retentionMs = retentionMs
  }

  /** Takes note that the operator's time went forward. */
  advance(): void {
    const { observedMs, closedMs } = this.#time
    const { sizeMs, advanceMs, graceMs } = this.#window
    const newestStartMs = Math.floor(observedMs / advanceMs) * advanceMs
    const afterClosedMs = closedMs - sizeMs + 1
    const fromMs = Math.max(
      0,
      this.#startAtOrAfter(afterClosedMs),
      this.#startAtOrAfter(newestStartMs - this.#retentionMs)
    )
    const toMs = this.#startAtOrAfter(observedMs - graceMs - sizeMs + 1)
    this.#time.closedMs = Math.max(closedMs, observedMs - graceMs)
    if (fromMs >= toMs) return
    const last = this.#ranges.at(-1)
    if (last?.toMs === fromMs) this.#ranges = [...this.#ranges.slice(0, -1), { fromMs: last.fromMs, toMs }]
    else this.#ranges = [...this.#ranges, { fromMs, toMs }]
  }

  /** Hands over what closed, and begins anew. */
  take(): readonly ClosingRange[] {
    const ranges = this.#ranges
    this.#ranges = []
    this.#marked = []
    return ranges
  }

  mark(): void {
    this.#marked = this.#ranges
  }

  rollback(): void {
    this.#ranges = this.#marked
  }

  #startAtOrAfter(ms: number): number {
    return Math.ceil(ms / this.#window.advanceMs) * this.#window.advanceMs
  }
}
