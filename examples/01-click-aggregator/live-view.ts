import type { LineCounts } from './line-counts.ts'

/** All that is shown at one moment. */
export interface Snapshot {
  readonly status: string
  /** Of this run. */
  readonly counts: LineCounts
  /** Clicks that came after their window had closed, of all runs. */
  readonly late: number
  readonly recordsPerSecond: number
  /** Records on the log that are not counted yet. */
  readonly lag: number
  readonly commitAgeMs: number | undefined
  /** Share of the stores that is restored, 0 to 1; undefined when nothing is being restored. */
  readonly restored: number | undefined
  readonly window: { readonly startMs: number; readonly sizeMs: number } | undefined
  /** Most clicked first. Pages are bytes as latin1. */
  readonly top: readonly { readonly page: string; readonly count: number }[]
}

const WIDEST_BAR = 24
const BESIDE_BAR_AND_PAGE = 14
const BLOCKS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█']
const bold = (text: string) => `\x1b[1m${text}\x1b[22m`
const dim = (text: string) => `\x1b[2m${text}\x1b[22m`
const cyan = (text: string) => `\x1b[36m${text}\x1b[39m`
const yellow = (text: string) => `\x1b[33m${text}\x1b[39m`

/** Draws the live table, `rows` pages high, for a terminal of `columns`. */
export function drawTable(snapshot: Snapshot, size: { readonly rows: number; readonly columns: number }): string[] {
  const greatest = Math.max(1, ...snapshot.top.map(({ count }) => count))
  const barColumns = Math.min(WIDEST_BAR, Math.floor(size.columns * 0.3))
  const rows = Array.from({ length: size.rows }, (_, i) => {
    const row = snapshot.top[i]
    if (!row) return ''
    const page = fit(printable(row.page), size.columns - barColumns - BESIDE_BAR_AND_PAGE)
    return `${number(row.count).padStart(10)}  ${cyan(bar(row.count / greatest, barColumns))}  ${page}`
  })
  return [
    `${bold('Millrace')} ${dim('click aggregator')}   ${snapshot.status}`,
    dim(snapshot.window ? windowTitle(snapshot.window) : 'waiting for the first click'),
    '',
    ...rows,
    '',
    countsLine(snapshot),
    progressLine(snapshot)
  ]
}

/** The same in one plain line, for pipes and files. */
export function plainLine(snapshot: Snapshot): string {
  const { counts } = snapshot
  const fields = {
    lines: counts.lines,
    clicks: counts.clicks,
    ignored: counts.ignored,
    bad: counts.bad,
    late: snapshot.late,
    'records/s': Math.round(snapshot.recordsPerSecond),
    lag: snapshot.lag
  }
  const text = Object.entries(fields).map(([name, value]) => `${name} ${number(value)}`)
  return `${snapshot.status}: ${text.join(', ')}`
}

/** Bytes that a terminal would obey, or that are no ASCII, as `\xNN`. */
export function printable(latin1: string): string {
  return latin1.replaceAll(/[^\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

function countsLine({ counts, late }: Snapshot): string {
  const bad = `bad ${number(counts.bad)}`
  const lateText = `late ${number(late)}`
  return [
    `lines ${bold(number(counts.lines))}`,
    `clicks ${bold(number(counts.clicks))}`,
    `ignored ${number(counts.ignored)}`,
    counts.bad > 0 ? yellow(bad) : bad,
    late > 0 ? yellow(lateText) : lateText
  ].join('   ')
}

function progressLine(snapshot: Snapshot): string {
  if (snapshot.restored !== undefined) {
    return `restoring ${cyan(bar(snapshot.restored, WIDEST_BAR))} ${Math.floor(snapshot.restored * 100)} %`
  }
  const age = snapshot.commitAgeMs === undefined ? 'no commit yet' : `last commit ${duration(snapshot.commitAgeMs)} ago`
  return dim(`${number(Math.round(snapshot.recordsPerSecond))} records/s   lag ${number(snapshot.lag)}   ${age}`)
}

function windowTitle({ startMs, sizeMs }: { startMs: number; sizeMs: number }): string {
  const time = (ms: number) => new Date(ms).toISOString().slice(11, 19)
  return `window of ${new Date(startMs).toISOString().slice(0, 10)}, ${time(startMs)} to ${time(startMs + sizeMs)} UTC`
}

function bar(share: number, columns: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * columns * 8)
  return ('█'.repeat(Math.floor(eighths / 8)) + BLOCKS[eighths % 8]).padEnd(columns)
}

function fit(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(1, columns - 1))}…`
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
