import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { describe, expect, it } from 'vitest'
import { type Ending, runProcess, runsUntilEnded } from '../example-process.ts'
import { type Burst, debouncedAlert, QUIET_MS, type SignIn } from './topology.ts'

describe('debounced alert', () => {
  it('alerts once per user and burst, when the burst is over', async () => {
    const driver = await TopologyTestDriver.open(debouncedAlert)
    const input = driver.input<string, SignIn>('sign-ins')
    const fail = (user: string, second: number) => input.pipe(user, { ok: false, at: second * 1_000 })
    for (const second of [100, 110, 120]) await fail('ada', second)
    for (const second of [121, 122]) await fail('grace', second)
    for (const second of [140, 180]) await fail('ada', second)
    await input.pipe('linus', { ok: true, at: 500_000 })
    expect(driver.output<string, Burst>('alerts').readAll()).toMatchObject([
      {
        key: 'ada',
        value: { failures: 4, fromMs: 100_000, toMs: 140_000 },
        timestamp: 140_000 + QUIET_MS
      }
    ])
    await driver.close()
  })

  it('runs on a log, and a restart within a burst loses nothing, in order or not', async () => {
    const main = join(import.meta.dirname, 'main.ts')
    const alerts = (lines: readonly string[]) => lines.filter((line) => line.includes('ALERT'))
    const alert = '12:01:15  ALERT: ada failed 5 times, 12:00:00 to 12:00:45'
    const { lines, end } = await runProcess(main, [])
    expect({ end, alerts: alerts(lines) }).toEqual({ end: 0, alerts: [alert] })

    const directory = mkdtempSync(join(tmpdir(), 'millrace-alerts-'))
    try {
      const data = ['--data', directory]
      const ending: Ending = { signal: 'SIGKILL', isTime: (line) => line.includes('the application stops') }
      await runsUntilEnded(main, data, ending)
      const second = await runProcess(main, data)
      expect(second.end).toBe(0)
      expect(alerts(second.lines).at(-1)).toBe(alert)
      // The burst that nobody was there to end is over by now.
      expect(alerts(second.lines)[0]).toMatch(/ALERT: ada failed (4 times, 12:00:00 to 12:00:30|5 times)/)
      const third = await runProcess(main, data)
      expect({ end: third.end, alerts: alerts(third.lines) }).toEqual({ end: 0, alerts: [alert] })
    } finally {
      rmSync(directory, { recursive: true })
    }
  }, 120_000)
})
