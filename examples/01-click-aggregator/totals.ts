import type { LineCounts } from './line-counts.ts'

/** Counts with the clicks that came too late for their window. */
export interface Totals extends LineCounts {
  readonly late: number
}

/** What is printed at the end: one line for this run, one for all runs over the data directory. */
export function totalsText(run: Totals, all: Totals): string {
  return `this run: ${countsText(run)}\ndata directory: ${countsText(all)}\n`
}

function countsText({ lines, clicks, ignored, bad, late }: Totals): string {
  return `lines ${lines}, clicks ${clicks}, ignored ${ignored}, bad ${bad}, late ${late}`
}
