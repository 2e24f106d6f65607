/** `npm run example -- 04 [--data DIRECTORY]` */
import type { Log } from '@millrace/log'
import type { QueryableStore, StreamsApp } from '@millrace/streams'
import { example } from '../example.ts'
import { onLog, whileRunning } from '../on-log.ts'
import { type PageView, visitorSessions } from './topology.ts'

const USAGE = `Page views become visits: pages of one visitor with no more than half an hour between them.

  npm run example -- 04 [options]

  --data DIR    keep the log in this directory; the next run is the next day    (in memory)
`
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const MORNING_MS = Date.UTC(2026, 0, 1, 9)
/** The views are of a day long ago, which is no reason to delete them. */
const CONFIGS = { 'retention.ms': '-1' }

/** In the order in which they arrive. */
const VIEWS: readonly (readonly [visitor: string, minute: number, page: string])[] = [
  ['ada', 0, '/'],
  ['grace', 4, '/shoes'],
  ['ada', 12, '/shoes'],
  ['linus', 15, '/'],
  ['grace', 20, '/cart'],
  ['ada', 60, '/shoes/42'],
  ['grace', 65, '/'],
  ['linus', 70, '/raincoats'],
  ['ada', 75, '/cart'],
  ['grace', 90, '/contact']
]
/** Arrives last, though it was seen before most of the others: it joins two visits into one. */
const LATE = ['ada', 36, '/socks'] as const

type Visits = QueryableStore<string, readonly PageView[]>

await example(USAGE, { data: { type: 'string' } }, ({ data }, interrupted) =>
  onLog(data, (log) => {
    const life = { log, interrupted, createTopics: { partitions: 3, configs: CONFIGS }, internalTopicConfigs: CONFIGS }
    return whileRunning(visitorSessions, life, (app) => tellDay(log, app))
  })
)

async function tellDay(log: Log, app: StreamsApp): Promise<void> {
  await app.caughtUp()
  const visits: Visits = app.store('visits')
  const dayMs = await nextDay(visits)
  const producer = log.producer()
  const send = ([visitor, minute, page]: (typeof VIEWS)[number]) => {
    const view: PageView = { page, at: dayMs + minute * MINUTE_MS }
    return producer.send({ topic: 'page-views', key: Buffer.from(visitor), value: Buffer.from(JSON.stringify(view)) })
  }
  for (const view of VIEWS) await send(view)
  await app.caughtUp()
  console.log('Visits so far\n')
  await show(visits, dayMs)

  await send(LATE)
  await app.caughtUp()
  console.log(`\n${LATE[0]}'s look at ${LATE[2]} arrives late: two visits were one\n`)
  await show(visits, dayMs)
  await producer.close()
}

/** A day later than what is there from an earlier run. */
async function nextDay(visits: Visits): Promise<number> {
  let dayMs = MORNING_MS
  for await (const { window } of visits.fetchAll()) while ((window?.endMs ?? 0) >= dayMs) dayMs += DAY_MS
  return dayMs
}

/** A line per visit, a character per three minutes. */
async function show(visits: Visits, dayMs: number): Promise<void> {
  const cell = (ms: number) => Math.floor((ms - dayMs) / MINUTE_MS / 3)
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 16)
  for await (const { key, value = [], window } of visits.fetchAll({ fromMs: dayMs })) {
    if (window === undefined) continue
    const line = Array.from({ length: 31 }, (_, at): string =>
      at >= cell(window.startMs) && at <= cell(window.endMs) ? '─' : ' '
    )
    for (const { at } of value) line[cell(at)] = '●'
    const pages = value.map(({ page }) => page).join(' → ')
    console.log(`  ${key.padEnd(6)} ${line.join('')}  ${clock(window.startMs)}–${clock(window.endMs)}  ${pages}`)
  }
}
