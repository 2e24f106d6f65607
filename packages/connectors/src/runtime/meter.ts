import type { Clock } from '@millrace/log'

/** Totals of one connector since it was started, and gauges of its present life. */
export interface Figures {
  /** Records read from the outer system, or from the log. */
  readRecords: number
  /** Records written to the log, or delivered to the target. */
  sentRecords: number
  /** Records read and not yet committed. */
  activeRecords: number
  partitions: number
  batches: number
  commits: number
  retries: number
  recordErrors: number
  recordFailures: number
  skippedRecords: number
  deadLetters: number
  deadLetterFailures: number
  /** Records in a row, across lives, that could not be written for unknown reasons. */
  refusalsInARow: number
  transactions: number
}

/** A row of measurements, reduced as it grows. */
export interface Spread {
  readonly count: number
  readonly average: number
  readonly min: number
  readonly max: number
}

/** Measurements that are kept as spreads. Times in milliseconds. */
export type Measured = 'readMs' | 'writeMs' | 'commitMs' | 'batchRecords' | 'transactionRecords'

/** What is counted and measured of one connector, across its lives. */
export class Meter {
  readonly figures: Figures = {
    readRecords: 0,
    sentRecords: 0,
    activeRecords: 0,
    partitions: 0,
    batches: 0,
    commits: 0,
    retries: 0,
    recordErrors: 0,
    recordFailures: 0,
    skippedRecords: 0,
    deadLetters: 0,
    deadLetterFailures: 0,
    refusalsInARow: 0,
    transactions: 0
  }
  readonly #clock: Clock
  readonly #spreads = new Map<Measured, { count: number; sum: number; min: number; max: number }>()
  #lastEventAtMs: number | undefined
  #lastCommitAtMs: number | undefined
  #lastErrorAtMs: number | undefined
  #movedMs: number
  #lag: () => number | undefined = () => undefined

  constructor(clock: Clock) {
    this.#clock = clock
    this.#movedMs = clock.monotonicMs()
  }

  /** Adds one measurement. */
  measure(what: Measured, value: number): void {
    const spread = this.#spreads.get(what) ?? { count: 0, sum: 0, min: Number.POSITIVE_INFINITY, max: 0 }
    spread.count++
    spread.sum += value
    spread.min = Math.min(spread.min, value)
    spread.max = Math.max(spread.max, value)
    this.#spreads.set(what, spread)
  }

  spread(what: Measured): Spread {
    const spread = this.#spreads.get(what)
    if (spread === undefined) return { count: 0, average: 0, min: 0, max: 0 }
    const { count, sum, min, max } = spread
    return { count, average: sum / count, min, max }
  }

  /** Records have come in. */
  received(records: number): void {
    if (records === 0) return
    if (this.figures.activeRecords === 0) this.idle()
    this.figures.activeRecords += records
    this.figures.readRecords += records
    this.#lastEventAtMs = this.#clock.nowMs()
  }

  /** Something is safe at the other side that was not before: progress. */
  progressed(): void {
    this.figures.commits++
    this.#lastCommitAtMs = this.#clock.nowMs()
    this.#movedMs = this.#clock.monotonicMs()
  }

  /** There is nothing to do, so standing still is no fault. */
  idle(): void {
    this.#movedMs = this.#clock.monotonicMs()
  }

  erred(): void {
    this.figures.recordErrors++
    this.#lastErrorAtMs = this.#clock.nowMs()
  }

  /** What the present life knows of its lag. */
  observeLag(lag: () => number | undefined): void {
    this.#lag = lag
  }

  lag(): number | undefined {
    return this.#lag()
  }

  times(): MeterTimes {
    return {
      lastEventAtMs: this.#lastEventAtMs,
      lastCommitAtMs: this.#lastCommitAtMs,
      lastErrorAtMs: this.#lastErrorAtMs,
      standingMs: this.#clock.monotonicMs() - this.#movedMs
    }
  }
}

/** When things happened last: milliseconds since the epoch, undefined for never. */
export interface MeterTimes {
  readonly lastEventAtMs: number | undefined
  readonly lastCommitAtMs: number | undefined
  readonly lastErrorAtMs: number | undefined
  /** Milliseconds since something moved. */
  readonly standingMs: number
}
