import { materializedView, rowKey, runConnectors } from '@millrace/connectors'
import { postgresCdc } from '@millrace/connectors/postgres'
import { defineTopology, runStreams } from '@millrace/streams'
import pg from 'pg'
import { type BenchmarkResult, checkEqual } from '../benchmark.ts'
import { countFailures, ServerSpan, withScene } from './scene.ts'

const CHANGES = 10_000
const CHANGES_PER_SECOND = 1000
const WARM_UP_CHANGES = 1000
const COMMIT_INTERVAL_MS = 20

interface Order {
  readonly id: number
  readonly total: string
}

/** From the commit in the database until the row is in the view, at a steady rate of single-row transactions. */
export function changeToView(): Promise<BenchmarkResult> {
  return withScene(async ({ log, postgres }) => {
    const { client, connection, server } = await postgres()
    await client.query('CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2))')
    const source = postgresCdc({ driver: pg, connection, name: 'shop', tables: ['orders'] })
    const connectors = await runConnectors({ log, connectors: [{ source, commitInterval: COMMIT_INTERVAL_MS }] })
    await log.admin().ensureTopic({ name: 'shop.public.orders', partitions: 4 })
    const topology = defineTopology('view', (b) => {
      materializedView<number, Order>(b, 'shop.public.orders', { key: rowKey('id'), store: 'orders' })
    })
    const app = await runStreams(topology, { log, commitInterval: COMMIT_INTERVAL_MS })
    const sent = new Map<number, number>()
    const latencies: number[] = []
    const all = Promise.withResolvers<void>()
    app.store<number, Order>('orders').changes$.subscribe(({ key }) => {
      const sentMs = sent.get(key)
      if (sentMs === undefined) return
      sent.delete(key)
      latencies.push(performance.now() - sentMs)
      if (latencies.length === CHANGES + WARM_UP_CHANGES) all.resolve()
    })
    const failures = countFailures(connectors, 'shop')
    const span = new ServerSpan(server)
    const beganMs = performance.now()
    for (let id = 0; id < CHANGES + WARM_UP_CHANGES; id++) {
      sent.set(id, performance.now())
      await client.query({ name: 'insert', text: 'INSERT INTO orders VALUES ($1, 1.5)', values: [id] })
      await pace(id, beganMs)
    }
    await Promise.race([all.promise, app.done, connectors.done])
    const measured = latencies.slice(WARM_UP_CHANGES).toSorted((one, other) => one - other)
    const at = (share: number) => Math.round(measured[Math.floor(measured.length * share)] ?? 0)
    const result = span.end('change to view', CHANGES, {
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      maxMs: Math.round(measured.at(-1) ?? 0)
    })
    checkEqual('failures of the source', failures(), 0)
    let rows = 0
    for await (const _ of app.store<number, Order>('orders').all()) rows++
    checkEqual('rows of the view', rows, CHANGES + WARM_UP_CHANGES)
    await app.close()
    await connectors.close()
    return result
  })
}

/** Waits until the next change is due. */
async function pace(sent: number, beganMs: number): Promise<void> {
  const aheadMs = beganMs + (sent / CHANGES_PER_SECOND) * 1000 - performance.now()
  if (aheadMs > 1) await new Promise((resolve) => setTimeout(resolve, aheadMs))
}
