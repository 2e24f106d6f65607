import { type Log, realEnvironment, writeFileAtomically } from '@millrace/log'
import { readCommitted } from '../read-committed.ts'

/** The topic that the aggregator writes to. */
export const RESULTS_TOPIC = 'clicks-per-window'

/** One window of one page, with its last committed count. */
export interface WindowCount {
  readonly windowStartMs: number
  /** The page's bytes as latin1. */
  readonly page: string
  readonly count: number
}

/** Length of the window start that follows the page in a windowed key. */
const WINDOW_START_BYTES = 8

/** Every window that this log ever counted, open ones included, by window start and then by the page's bytes. */
export async function readResults(log: Log): Promise<WindowCount[]> {
  const last = new Map<string, number>()
  await readCommitted(log, RESULTS_TOPIC, (key, value) => {
    if (key === null) return
    if (value === null) last.delete(key.toString('latin1'))
    else last.set(key.toString('latin1'), Number(value.readBigInt64BE()))
  })
  const results = Array.from(last, ([text, count]) => {
    const key = Buffer.from(text, 'latin1')
    const pageBytes = key.length - WINDOW_START_BYTES
    return { windowStartMs: Number(key.readBigInt64BE(pageBytes)), page: key.toString('latin1', 0, pageBytes), count }
  })
  return results.sort((a, b) => a.windowStartMs - b.windowStartMs || (a.page < b.page ? -1 : a.page > b.page ? 1 : 0))
}

/** The results as CSV (RFC 4180): `windowStart,page,count`, times in ISO 8601 UTC, pages byte for byte. */
export function toCsv(results: readonly WindowCount[]): Buffer {
  const rows = results.map(
    ({ windowStartMs, page, count }) => `${new Date(windowStartMs).toISOString()},${quoted(page)},${count}\r\n`
  )
  return Buffer.from(`windowStart,page,count\r\n${rows.join('')}`, 'latin1')
}

/** Replaces `file` as a whole, or leaves it as it was. */
export async function writeCsv(log: Log, file: string): Promise<number> {
  const results = await readResults(log)
  await writeFileAtomically(realEnvironment().files, file, toCsv(results))
  return results.length
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}
