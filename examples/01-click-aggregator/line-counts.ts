/** What the lines read were. `lines` is the sum of the others. */
export interface LineCounts {
  readonly lines: number
  readonly clicks: number
  readonly ignored: number
  readonly bad: number
}

/** Nothing read yet. */
export const NO_LINES: LineCounts = { lines: 0, clicks: 0, ignored: 0, bad: 0 }
