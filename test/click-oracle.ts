import { partitionForKey } from '@millrace/log'

/** What the oracle needs to know of the job. */
export interface OracleOptions {
  readonly windowMs: number
  readonly graceMs: number
  readonly partitions: number
}

/** What must come of a log file. */
export interface OracleResult {
  readonly csv: Buffer
  readonly lines: number
  readonly clicks: number
  readonly ignored: number
  readonly bad: number
  readonly late: number
}

const LINE =
  /^[^ ]+ [^ ]+ .* \[(\d\d)\/(\w\w\w)\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d\d)(\d\d)\] "((?:(?!" \d\d\d).)*)" (\d\d\d) (?:\d+|-)(?: .*)?$/s

/**
 * Counts clicks by other means than the job: one pass over the whole file in memory, a regular expression for a line, the date parsed by
 * JavaScript, and lateness kept per partition as Kafka Streams defines it: a window is closed when its end is not above the greatest
 * time seen in the partition, less the grace.
 */
export function countByOracle(bytes: Buffer, options: OracleOptions): OracleResult {
  const counts = new Map<string, Map<string, number>>()
  const seen = { lines: 0, clicks: 0, ignored: 0, bad: 0, late: 0 }
  const streamTimes = new Array<number>(options.partitions).fill(-1)
  const text = bytes.toString('latin1')
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  for (const line of lines) {
    seen.lines++
    const click = parse(line.replace(/\r$/, ''))
    if (click === 'bad' || click === 'ignored') {
      seen[click]++
      continue
    }
    seen.clicks++
    const partition = partitionForKey(Buffer.from(click.page, 'latin1'), options.partitions)
    streamTimes[partition] = Math.max(streamTimes[partition], click.atMs)
    const startMs = Math.floor(click.atMs / options.windowMs) * options.windowMs
    if (startMs + options.windowMs <= streamTimes[partition] - options.graceMs) {
      seen.late++
      continue
    }
    const start = new Date(startMs).toISOString()
    const window = counts.get(start) ?? new Map<string, number>()
    counts.set(start, window)
    window.set(click.page, (window.get(click.page) ?? 0) + 1)
  }
  return { ...seen, csv: toCsv(counts) }
}

function parse(line: string): { page: string; atMs: number } | 'bad' | 'ignored' {
  const match = LINE.exec(line)
  if (!match) return 'bad'
  const [, day, month, year, time, zoneHours, zoneMinutes, request, status] = match
  const atMs = Date.parse(`${day} ${month} ${year} ${time} GMT${zoneHours}${zoneMinutes}`)
  if (Number.isNaN(atMs)) return 'bad'
  const [method, ...rest] = request.split(' ').filter((token, i, all) => token !== '' || (i > 0 && i < all.length - 1))
  if (method !== 'GET' || Number(status) < 200 || Number(status) > 399) return 'ignored'
  if (rest.at(-1)?.startsWith('HTTP/')) rest.pop()
  return {
    page: rest
      .join(' ')
      .replace(/^ +| +$/g, '')
      .replace(/[?#].*$/s, ''),
    atMs
  }
}

function toCsv(counts: ReadonlyMap<string, ReadonlyMap<string, number>>): Buffer {
  const rows = ['windowStart,page,count']
  for (const start of [...counts.keys()].sort()) {
    const pages = [...(counts.get(start) ?? [])].map(([page, count]) => ({ page, count }))
    pages.sort((a, b) => Buffer.compare(Buffer.from(a.page, 'latin1'), Buffer.from(b.page, 'latin1')))
    for (const { page, count } of pages) {
      const field = /[",\r\n]/.test(page) ? `"${page.split('"').join('""')}"` : page
      rows.push(`${start},${field},${count}`)
    }
  }
  return Buffer.from(`${rows.join('\r\n')}\r\n`, 'latin1')
}
