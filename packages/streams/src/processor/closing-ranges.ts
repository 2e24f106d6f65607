import type { WindowDefinition } from '../graph/node.ts'
import type { OperatorTime } from './operator-time.ts'
import type { StageParticipant } from './task-context.ts'

/** Places of windows that closed, their starts (of sessions: their ends): from `fromMs`, inclusive, to `toMs`, exclusive. */
export interface ClosingRange {
  readonly fromMs: number
  readonly toMs: number
}

/**
 * The windows that closed since the last flush, as ranges of their places. Which windows close is decided record by record, so it does not
 * depend on when commits happen.
 *
 * Without a retention every window is in some range, once. With one, a window that is older than it when it closes, counted back from the
 * start of the newest window, is gone without a result, as in Kafka Streams, whose retention is size and grace unless told otherwise: there a
 * gap in the input loses the results before it. Sessions are lost in neither.
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

  /**
   * Takes note that the operator's time went forward.
   * @param newestStartMs Start of the newest window; aligned windows know it without being told.
   */
  advance(newestStartMs = -1): void {
    const { observedMs, closedMs } = this.#time
    const window = this.#window
    if (window.kind === 'unlimited') return
    const closeMs = observedMs - window.graceMs - (window.kind === 'session' ? window.gapMs : 0)
    this.#time.closedMs = Math.max(closedMs, closeMs)
    if (window.kind === 'time') {
      const { sizeMs, advanceMs } = window
      const aligned = (ms: number) => Math.ceil(ms / advanceMs) * advanceMs
      const newestMs = Math.floor(observedMs / advanceMs) * advanceMs
      const fromMs = Math.max(aligned(closedMs - sizeMs + 1), aligned(newestMs - this.#retentionMs))
      this.#add(fromMs, aligned(closeMs - sizeMs + 1))
    } else if (window.kind === 'sliding') {
      const lostMs = newestStartMs - this.#retentionMs
      this.#add(Math.max(closedMs - window.differenceMs, lostMs), closeMs - window.differenceMs)
    } else this.#add(closedMs, closeMs)
  }

  /** Hands over what closed, and begins anew. */
  take(): readonly ClosingRange[] {
    const ranges = this.#ranges
    this.#ranges = []
    this.#marked = []
    return ranges
  }

  /** Hands over what closed of the places before a time; the rest stays. */
  takeBefore(horizonMs: number): readonly ClosingRange[] {
    if (this.#ranges.length === 0) return this.#ranges
    const ranges = this.#ranges
    this.#ranges = ranges.filter(({ toMs }) => toMs > horizonMs)
    return ranges.filter(({ toMs }) => toMs <= horizonMs)
  }

  /** The least place that has not closed, at most; milliseconds. */
  get nextMs(): number {
    const window = this.#window
    if (window.kind === 'session' || window.kind === 'unlimited') return Math.max(0, this.#time.closedMs)
    const spanMs = window.kind === 'time' ? window.sizeMs : window.differenceMs
    return Math.max(0, this.#time.closedMs - spanMs)
  }

  mark(): void {
    this.#marked = this.#ranges
  }

  rollback(): void {
    this.#ranges = this.#marked
  }

  #add(from: number, toMs: number): void {
    const fromMs = Math.max(0, from)
    if (fromMs >= toMs) return
    const last = this.#ranges.at(-1)
    if (last?.toMs === fromMs) this.#ranges = [...this.#ranges.slice(0, -1), { fromMs: last.fromMs, toMs }]
    else this.#ranges = [...this.#ranges, { fromMs, toMs }]
  }
}
