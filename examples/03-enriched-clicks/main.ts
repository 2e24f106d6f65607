/** `npm run example -- 03 [--data DIRECTORY]` */
import type { Log } from '@millrace/log'
import type { StreamsApp } from '@millrace/streams'
import { example } from '../example.ts'
import { onLog, whileRunning } from '../on-log.ts'
import { type Campaign, type CampaignTotal, type Click, enrichedClicks } from './topology.ts'

const USAGE = `Clicks on ads are joined with a table of campaigns, and what each campaign costs is added up.

  npm run example -- 03 [options]

  --data DIR    keep the log in this directory; the next run goes on with it    (in memory)
`
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
await example(USAGE, { data: { type: 'string' } }, ({ data }, interrupted) =>
  onLog(data, (log) =>
    whileRunning(enrichedClicks, { log, interrupted, createTopics: { partitions: 3 } }, async (app) => {
      await writeClicks(log, app)
      await showTotals(app)
    })
  )
)

async function writeClicks(log: Log, app: StreamsApp): Promise<void> {
  const producer = log.producer()
  const send = (topic: string, key: string, value: Campaign | Click) =>
    producer.send({ topic, key: Buffer.from(key), value: Buffer.from(JSON.stringify(value)) })
  const sendClicks = (count: number) => {
    for (let i = 0; i < count; i++) send('clicks', ADS[i % ADS.length], { userId: `user-${i % 97}` })
    return producer.flush()
  }
  for (const [ad, campaign] of CAMPAIGNS) await send('campaigns', ad, campaign)
  await app.caughtUp()
  await sendClicks(CLICKS / 2)
  await app.caughtUp()
  await send('campaigns', 'ad-3', DEARER)
  await app.caughtUp()
  await sendClicks(CLICKS / 2)
  await app.caughtUp()
  await producer.close()
}

async function showTotals(app: StreamsApp): Promise<void> {
  const clicks = CLICKS.toLocaleString('en')
  console.log(`${clicks} clicks on ${ADS.length} ads; in the middle a click on new shoes became dearer\n`)
  for await (const { key, value } of app.store<string, CampaignTotal>('campaign-totals').all()) {
    if (value === undefined) continue
    const each = (value.cents / value.clicks).toFixed(0).padStart(3)
    const bar = '█'.repeat(Math.round(value.cents / 5_000))
    const total = (value.cents / 100).toFixed(2)
    console.log(`${key.padEnd(12)} ${String(value.clicks).padStart(6)} clicks at ${each} ct  ${bar} ${total}`)
  }
}
