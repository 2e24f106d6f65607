/** `npm run example -- 08 [--connection URL] [--orders 40] [--rate 25]` */
import { isDeepStrictEqual } from 'node:util'
import { runConnectors } from '@millrace/connectors'
import { postgresCdc } from '@millrace/connectors/postgres'
import { type Log, openLog } from '@millrace/log'
import pg from 'pg'
import { example, failureOf, positiveNumber } from '../example.ts'
import { bold, dim, livePage, number, type Picture } from '../live-page.ts'
import { type ExampleDatabase, openDatabase } from '../postgres.ts'
import { doBusiness, eventsInTables, SOURCE, TABLES } from './shop.ts'
import { Subscriber } from './subscriber.ts'

const USAGE = `A shop tells others what happens in it, by an outbox: what was committed, in order, and nothing else. Ctrl-C ends it.

  npm run example -- 08 [options]

  --connection URL    a PostgreSQL of yours (wal_level=logical); without it one is started from npm
  --orders 40         orders to take through their three steps
  --rate 25           transactions per second
`
const OPTIONS = { connection: { type: 'string' }, orders: { type: 'string' }, rate: { type: 'string' } } as const
const REST_LIMIT_MS = 30_000
const LOOK_AGAIN_MS = 10
const ORDERS_TOPIC = 'outbox.event.order'
const CUSTOMERS_TOPIC = 'outbox.event.customer'

await example(USAGE, OPTIONS, async ({ connection, orders, rate }, interrupted) => {
  const business = {
    orders: positiveNumber('--orders', orders ?? '40'),
    perSecond: positiveNumber('--rate', rate ?? '25')
  }
  const database = await openDatabase(connection, { source: SOURCE, schema: SOURCE, tables: TABLES })
  const log = await openLog('memory:')
  try {
    await tellOthers(database, log)
  } finally {
    await log.close()
    await database.close()
  }

  async function tellOthers({ url, client, description }: ExampleDatabase, log: Log): Promise<void> {
    console.log(dim(`${description}\n`))
    const admin = log.admin()
    for (const name of [ORDERS_TOPIC, CUSTOMERS_TOPIC]) await admin.ensureTopic({ name, partitions: 3 })
    await admin.close()
    const table = `${SOURCE}.outbox`
    const outbox = { table, columns: { headers: ['type'] } }
    const source = postgresCdc({ driver: pg, connection: url, name: SOURCE, tables: [table], outbox })
    const orderSubscriber = new Subscriber('order')
    const customerSubscriber = new Subscriber('customer')
    const app = await runConnectors({
      log,
      connectors: [
        { source },
        { sink: orderSubscriber.sink, topics: [ORDERS_TOPIC] },
        { sink: customerSubscriber.sink, topics: [CUSTOMERS_TOPIC] }
      ]
    })
    const outcomes = { committed: 0, 'rolled back': 0 }
    let expected: ReadonlyMap<string, number> | undefined
    const ending = new AbortController()
    const working = shopDay()
    try {
      const failures = [app.done, working].map(failureOf)
      const complete = await Promise.race([...failures, livePage(ending.signal, picture)])
      const problems = [...orderSubscriber.problems, ...customerSubscriber.problems]
      const right = complete && problems.length === 0
      console.log(
        right ? '\nEvery committed step was heard once, in order; nothing that was rolled back was.' : '\nWRONG'
      )
      for (const problem of problems) console.log(problem)
      if (!right) process.exitCode = 1
    } finally {
      ending.abort()
      await working.catch(() => undefined)
      await app.close()
    }

    async function shopDay(): Promise<void> {
      // Rows that come and go before the source has its place in the database's log would not be heard of.
      while (app.connector(SOURCE).state.status !== 'running' && !interrupted.aborted) await soon()
      const onTransaction = (outcome: keyof typeof outcomes) => outcomes[outcome]++
      await doBusiness(client, { ...business, closing: AbortSignal.any([interrupted, ending.signal]), onTransaction })
      expected = await eventsInTables(client)
      setTimeout(() => ending.abort(), REST_LIMIT_MS).unref()
    }

    function picture(): Picture {
      const heard = new Map([...orderSubscriber.heard, ...customerSubscriber.heard])
      const events = (each: Subscriber) => number([...each.heard.values()].reduce((sum, nr) => sum + nr, 0)).padStart(5)
      const transactions = `${outcomes.committed} transactions committed, ${outcomes['rolled back']} rolled back`
      const lines = [
        transactions,
        '',
        `${bold(ORDERS_TOPIC)}     ${events(orderSubscriber)} events`,
        ...orderSubscriber.newest.map((event) => `  ${event}`),
        `${bold(CUSTOMERS_TOPIC)}  ${events(customerSubscriber)} events`,
        ...customerSubscriber.newest.map((event) => `  ${event}`)
      ]
      const plain = `${transactions}; events of orders ${events(orderSubscriber).trim()}, of customers ${events(customerSubscriber).trim()}`
      return { lines, plain, done: expected !== undefined && isDeepStrictEqual(sorted(heard), sorted(expected)) }
    }
  }
})

function sorted(events: ReadonlyMap<string, number>): [string, number][] {
  return [...events].sort(([left], [right]) => (left < right ? -1 : 1))
}

function soon(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
}
