import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { describe, expect, it } from 'vitest'
import { type Ending, runProcess, runsUntilEnded } from '../example-process.ts'
import { type PageView, visitorSessions } from './topology.ts'

const MINUTE_MS = 60_000

const main = join(import.meta.dirname, 'main.ts')

describe('visitor sessions', () => {
  it('keeps views that follow one another within the gap together, and no others', async () => {
    const driver = await TopologyTestDriver.open(visitorSessions)
    const input = driver.input<string, PageView>('page-views')
    const view = (visitor: string, minute: number) =>
      input.pipe(visitor, { page: `/${minute}`, at: minute * MINUTE_MS })
    for (const minute of [0, 30, 61, 100]) await view('ada', minute)
    await view('grace', 61)
    const visits = async () =>
      (await driver.store<string, readonly PageView[]>('visits').all())
        .map(({ key, value }) => `${key} ${value.map(({ page }) => page).join(' ')}`)
        .toSorted()
    expect(await visits()).toEqual(['ada /0 /30', 'ada /100', 'ada /61', 'grace /61'])
    await view('ada', 45)
    await view('ada', 90)
    expect(await visits()).toEqual(['ada /0 /30 /45 /61 /90 /100', 'grace /61'])
    await driver.close()
  })

  it('runs on a log, and goes on with the next day, also after it was killed', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-visits-'))
    try {
      const data = ['--data', directory]
      const first = await runProcess(main, data)
      expect(first.end).toBe(0)
      const late = first.lines.findIndex((line) => line.includes('arrives late'))
      const ofAda = (lines: readonly string[]) => lines.filter((line) => line.startsWith('  ada '))
      expect(ofAda(first.lines.slice(0, late))).toHaveLength(2)
      expect(ofAda(first.lines.slice(late))).toEqual([
        expect.stringContaining('09:00–10:15  / → /shoes → /socks → /shoes/42 → /cart')
      ])
      const ending: Ending = { signal: 'SIGKILL', isTime: (line) => line.startsWith('Visits so far') }
      await runsUntilEnded(main, data, ending)
      expect(await runProcess(main, data)).toEqual(first)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
