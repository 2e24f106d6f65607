import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { runProcess } from '../example-process.ts'
import { type Campaign, type CampaignTotal, type Click, type EnrichedClick, enrichedClicks } from './topology.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-enriched-'))
afterAll(() => rmSync(directory, { recursive: true }))

const main = join(import.meta.dirname, 'main.ts')
const totals = (lines: readonly string[]) =>
  lines.flatMap((line) => {
    const [, name, clicks, total] = /^(\D+?) +(\d+) clicks .* ([\d.]+)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, Number(clicks), Number(total)]]
  })

describe('enriched clicks', () => {
  it('finds the campaign as it is when the click comes', async () => {
    const driver = await TopologyTestDriver.open(enrichedClicks)
    const campaigns = driver.input<string, Campaign>('campaigns')
    const clicks = driver.input<string, Click>('clicks')
    await clicks.pipe('ad-1', { userId: 'early' })
    await campaigns.pipe('ad-1', { name: 'spring sale', centsPerClick: 10 })
    await clicks.pipe('ad-1', { userId: 'ada' })
    await campaigns.pipe('ad-1', { name: 'spring sale', centsPerClick: 15 })
    await clicks.pipe('ad-1', { userId: 'grace' })
    await campaigns.pipe('ad-1', null)
    await clicks.pipe('ad-1', { userId: 'late' })

    expect(driver.output<string, EnrichedClick>('enriched-clicks').readKeyValues()).toEqual([
      ['ad-1', { userId: 'ada', name: 'spring sale', centsPerClick: 10 }],
      ['ad-1', { userId: 'grace', name: 'spring sale', centsPerClick: 15 }]
    ])
    expect(driver.output('clicks-without-campaign').readValues()).toEqual([
      { userId: 'early', campaign: null },
      { userId: 'late', campaign: null }
    ])
    const total = driver.store<string, CampaignTotal>('campaign-totals').get('spring sale')
    expect(total?.value).toEqual({ clicks: 2, cents: 25 })
    await driver.close()
  })

  it('runs on a log', async () => {
    const { lines, end } = await runProcess(main, [])
    expect(end).toBe(0)
    expect(lines).toContainEqual(expect.stringMatching(/^spring sale +4000 clicks at +12 ct .* 480\.00$/))
    expect(lines).toContainEqual(expect.stringMatching(/^new shoes +2000 clicks at +45 ct .* 900\.00$/))
    expect(lines).toContainEqual(expect.stringMatching(/^raincoats +2000 clicks at +8 ct .* 160\.00$/))
  })

  it('goes on with the totals in the next run', async () => {
    for (const runs of [1, 2]) {
      const { lines, end } = await runProcess(main, ['--data', directory])
      expect(end).toBe(0)
      expect(totals(lines).toSorted()).toEqual([
        ['new shoes', 2000 * runs, 900 * runs],
        ['raincoats', 2000 * runs, 160 * runs],
        ['spring sale', 4000 * runs, 480 * runs]
      ])
    }
  })
})
