/** `npm run example -- 04 [--data DIRECTORY]` */
import { parseArgs } from 'node:util'
import { openLog } from '@millrace/log'
import { runStreams } from '@millrace/streams'
import { processed } from '../processed.ts'
import { type PageView, visitorSessions } from './topology.ts'

const MINUTE_MS = 60_000
const MORNING_MS = Date.UTC(2026, 0, 1, 9)

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

const { values } = parseArgs({ options: { data: { type: 'string' } } })
const log = await openLog(values.data === undefined ? 'memory:' : `file:${values.data}`)
// The views are of a day long ago, which is no reason to delete them.
const configs = { 'retention.ms': '-1' }
const app = await runStreams(visitorSessions, {
  log,
  createTopics: { partitions: 3, configs },
  internalTopicConfigs: configs
})
await app.running
const visits = app.store<string, readonly PageView[]>('visits')

// A day later than what is there from an earlier run.
let dayMs = MORNING_MS
for await (const { window } of visits.fetchAll()) {
  while ((window?.endMs ?? 0) >= dayMs) dayMs += 24 * 60 * MINUTE_MS
}

const producer = log.producer()
const send = ([visitor, minute, page]: (typeof VIEWS)[number]) => {
  const view: PageView = { page, at: dayMs + minute * MINUTE_MS }
  return producer.send({ topic: 'page-views', key: Buffer.from(visitor), value: Buffer.from(JSON.stringify(view)) })
}
for (const view of VIEWS) await send(view)
await processed(app, VIEWS.length)
console.log('Visits so far\n')
await show()

await send(LATE)
await processed(app, VIEWS.length + 1)
console.log(`\n${LATE[0]}'s look at ${LATE[2]} arrives late: two visits were one\n`)
await show()

await producer.close()
await app.close()
await log.close()

/** A line per visit, a character per three minutes. */
async function show(): Promise<void> {
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
