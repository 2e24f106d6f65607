import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { describe, expect, it } from 'vitest'
import { type Campaign, type CampaignTotal, type Click, type EnrichedClick, enrichedClicks } from './topology.ts'

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

  it('runs on a log', () => {
    const main = join(import.meta.dirname, 'main.ts')
    const printed = execFileSync(process.execPath, ['--conditions=source', main], { encoding: 'utf8' })
    expect(printed).toMatch(/^spring sale +4000 clicks at +12 ct .* 480\.00$/m)
    expect(printed).toMatch(/^new shoes +2000 clicks at +45 ct .* 900\.00$/m)
    expect(printed).toMatch(/^raincoats +2000 clicks at +8 ct .* 160\.00$/m)
  })
})
