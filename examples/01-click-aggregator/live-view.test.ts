import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { drawTable, plainLine, printable, type Snapshot } from './live-view.ts'

const snapshot: Snapshot = {
  status: 'running',
  counts: { lines: 1240, clicks: 1200, ignored: 38, bad: 2 },
  late: 1,
  recordsPerSecond: 801.4,
  lag: 12,
  commitAgeMs: 41,
  restored: undefined,
  window: { startMs: Date.UTC(2015, 4, 17, 10, 5), sizeMs: 60_000 },
  top: [
    { page: '/favicon.ico', count: 40 },
    { page: '/caf\xe9\x1b[2J', count: 10 }
  ]
}
const drawn = (change: Partial<Snapshot> = {}) =>
  drawTable({ ...snapshot, ...change }, { rows: 3, columns: 80 }).map((line) =>
    stripVTControlCharacters(line).trimEnd()
  )

describe('drawTable', () => {
  it('shows the window, its top pages and the figures', () => {
    expect(drawn()).toEqual([
      'Millrace click aggregator   running',
      'window of 2015-05-17, 10:05:00 to 10:06:00 UTC',
      '',
      '        40  ████████████████████████  /favicon.ico',
      '        10  ██████                    /caf\\xe9\\x1b[2J',
      '',
      '',
      'lines 1,240   clicks 1,200   ignored 38   bad 2   late 1',
      '801 records/s   lag 12   last commit 41 ms ago'
    ])
  })

  it('shows how far a restore is', () => {
    expect(drawn({ restored: 0.5 }).at(-1)).toBe('restoring ████████████             50 %')
  })

  it('leaves room for pages on a narrow terminal', () => {
    const lines = drawTable(snapshot, { rows: 2, columns: 40 }).map((line) => stripVTControlCharacters(line))
    expect(lines[3]).toBe('        40  ████████████  /favicon.ico')
  })

  it('cuts a page that is wider than the terminal', () => {
    const top = [{ page: `/${'x'.repeat(200)}`, count: 1 }]
    for (const line of drawn({ top })) expect(line.length).toBeLessThanOrEqual(80)
  })
})

describe('printable', () => {
  it('lets no byte through that a terminal obeys', () => {
    expect(printable('\x1b]0;title\x07\x9b31m')).toBe('\\x1b]0;title\\x07\\x9b31m')
  })
})

describe('plainLine', () => {
  it('says the same without a terminal', () => {
    expect(plainLine(snapshot)).toBe(
      'running: lines 1,240, clicks 1,200, ignored 38, bad 2, late 1, records/s 801, lag 12'
    )
  })
})
