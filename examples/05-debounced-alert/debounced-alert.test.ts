import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { describe, expect, it } from 'vitest'
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

  it('runs on a log, and a restart within a burst loses nothing', () => {
    const main = join(import.meta.dirname, 'main.ts')
    const printed = execFileSync(process.execPath, ['--conditions=source', main], { encoding: 'utf8' })
    expect(printed.match(/^.*ALERT.*$/gm)).toEqual(['12:01:15  ALERT: ada failed 5 times, 12:00:00 to 12:00:45'])
  })
})
