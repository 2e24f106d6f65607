/** `npm run example -- 03 [--data DIRECTORY]` */
import { parseArgs } from 'node:util'
import { openLog } from '@millrace/log'
import { runStreams } from '@millrace/streams'
import { processed } from '../processed.ts'
import { type Campaign, type CampaignTotal, type Click, enrichedClicks } from './topology.ts'

const CLICKS = 10_000
const CAMPAIGNS: readonly (readonly [ad: string, Campaign])[] = [
  ['ad-1', { name: 'spring sale', centsPerClick: 12 }],
  ['ad-2', { name: 'spring sale', centsPerClick: 12 }],
  ['ad-3', { name: 'new shoes', centsPerClick: 30 }],
  ['ad-4', { name: 'raincoats', centsPerClick: 8 }]
]
/** Twice as much from the middle on, and one ad too many. */
const DEARER: Campaign = { name: 'new shoes', centsPerClick: 60 }
const ADS = [...CAMPAIGNS.map(([ad]) => ad), 'ad-5']

const { values } = parseArgs({ options: { data: { type: 'string' } } })
const log = await openLog(values.data === undefined ? 'memory:' : `file:${values.data}`)
const app = await runStreams(enrichedClicks, { log, createTopics: { partitions: 3 } })
await app.running

const producer = log.producer()
const send = (topic: string, key: string, value: Campaign | Click) =>
  producer.send({ topic, key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)) })
const sendClicks = (count: number) => {
  for (let i = 0; i < count; i++) send('clicks', ADS[i % ADS.length], { userId: `user-${i % 97}` })
  return producer.flush()
}
/** A click with a campaign is processed twice: it goes to its campaign's task to be added. */
const processedPerClick = 1 + CAMPAIGNS.length / ADS.length

for (const [ad, campaign] of CAMPAIGNS) await send('campaigns', ad, campaign)
await processed(app, CAMPAIGNS.length)
await sendClicks(CLICKS / 2)
await processed(app, CAMPAIGNS.length + (CLICKS / 2) * processedPerClick)
await send('campaigns', 'ad-3', DEARER)
await processed(app, CAMPAIGNS.length + (CLICKS / 2) * processedPerClick + 1)
await sendClicks(CLICKS / 2)
await processed(app, CAMPAIGNS.length + CLICKS * processedPerClick + 1)
await producer.close()

console.log(
  `${CLICKS.toLocaleString('en')} clicks on ${ADS.length} ads; in the middle a click on new shoes became dearer\n`
)
for await (const { key, value } of app.store<string, CampaignTotal>('campaign-totals').all()) {
  if (value === undefined) continue
  const { clicks, cents } = value
  const each = (cents / clicks).toFixed(0).padStart(3)
  const bar = '█'.repeat(Math.round(cents / 5_000))
  console.log(
    `${key.padEnd(12)} ${String(clicks).padStart(6)} clicks at ${each} ct  ${bar} ${(cents / 100).toFixed(2)}`
  )
}
await app.close()
await log.close()
