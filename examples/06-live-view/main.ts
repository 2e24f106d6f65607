/** `npm run example -- 06 [--connection URL] [--rate 50] [--transactions N]` */
import { isDeepStrictEqual } from 'node:util'
import { runConnectors } from '@millrace/connectors'
import { postgresCdc } from '@millrace/connectors/postgres'
import { openLog } from '@millrace/log'
import { runStreams } from '@millrace/streams'
import pg from 'pg'
import { example, failureOf, positiveNumber } from '../example.ts'
import { bar, bold, dim, livePage, number, type Picture } from '../live-page.ts'
import { openDatabase } from '../postgres.ts'
import { askDatabase, doBusiness, TABLES } from './shop.ts'
import { type CityTotal, liveView, type Order, SOURCE } from './topology.ts'

const USAGE = `Two tables of PostgreSQL, joined and added up outside of it, and equal to what SQL says. Ctrl-C ends it.

  npm run example -- 06 [options]

  --connection URL    a PostgreSQL of yours (wal_level=logical); without it one is started from npm
  --rate 50           transactions per second
  --transactions N    stop after so many
`
const OPTIONS = {
  connection: { type: 'string' },
  rate: { type: 'string' },
  transactions: { type: 'string' }
} as const
const BAR_COLUMNS = 24
const AGES = 100
const REST_LIMIT_MS = 30_000

await example(USAGE, OPTIONS, async ({ connection, rate, transactions }, interrupted) => {
  const business = {
    perSecond: positiveNumber('--rate', rate ?? '50'),
    transactions: transactions === undefined ? undefined : positiveNumber('--transactions', transactions)
  }
  const database = await openDatabase(connection, { source: SOURCE, schema: SOURCE, tables: TABLES })
  const log = await openLog('memory:')
  try {
    await showView()
  } finally {
    await log.close()
    await database.close()
  }

  async function showView(): Promise<void> {
    console.log(dim(`${database.description}\n`))
    const source = postgresCdc({ driver: pg, connection: database.url, name: SOURCE, tables: [`${SOURCE}.*`] })
    const connectors = await runConnectors({ log, connectors: [{ source, commitInterval: '20ms' }] })
    const app = await runStreams(liveView, { log, commitInterval: '20ms' })
    const cities = app.store<string, CityTotal>('cities')
    let done = 0
    let changes = 0
    const ages: number[] = []
    const watching = app.store<number, Order>('orders').changes$.subscribe(({ timestamp }) => {
      changes++
      ages.push(Date.now() - timestamp)
      if (ages.length > AGES) ages.shift()
    })
    /** What SQL says once the shop has closed: the view is to say the same, as soon as what is on its way has arrived. */
    let answer: ReadonlyMap<string, CityTotal> | undefined
    const ending = new AbortController()
    const closing = AbortSignal.any([interrupted, ending.signal])
    const working = doBusiness(database.client, business, { closing, done: () => done++ }).then(async () => {
      answer = await askDatabase(database.client)
      setTimeout(() => ending.abort(), REST_LIMIT_MS).unref()
    })
    try {
      const failures = [connectors.done, app.done, working].map(failureOf)
      const equal = await Promise.race([...failures, livePage(ending.signal, async () => picture(await shown()))])
      console.log(equal ? '\nSQL says the same.' : `\nSQL says something else: ${JSON.stringify([...(answer ?? [])])}`)
      if (!equal) process.exitCode = 1
    } finally {
      ending.abort()
      watching.unsubscribe()
      await working.catch(() => undefined)
      await app.close()
      await connectors.close()
    }

    async function shown(): Promise<Map<string, CityTotal>> {
      const found = new Map<string, CityTotal>()
      for await (const { key, value } of cities.all())
        if (value !== undefined && value.orders > 0) found.set(key, value)
      return new Map([...found].sort(([left], [right]) => (left < right ? -1 : 1)))
    }

    function picture(view: ReadonlyMap<string, CityTotal>): Picture {
      const most = Math.max(1, ...[...view.values()].map(({ cents }) => cents))
      const lines = [...view].map(([city, { orders, cents }]) => {
        const money = (cents / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })
        return `${city.padEnd(8)} ${bar(cents / most, BAR_COLUMNS)} ${money.padStart(12)}  ${number(orders).padStart(6)} orders`
      })
      const age = ages.toSorted((left, right) => left - right)[ages.length >> 1]
      const seen = done === 0 || age === undefined ? '' : `, seen ${number(age)} ms after their commit (median)`
      const figures = `${number(done)} transactions, ${number(changes)} changes of orders${seen}`
      const totals = [...view].map(([city, { orders }]) => `${city} ${orders}`).join('  ')
      const same = answer !== undefined && isDeepStrictEqual([...view], [...answer])
      return { lines: [bold('Orders by city'), ...lines, '', figures], plain: `${figures}: ${totals}`, done: same }
    }
  }
})
