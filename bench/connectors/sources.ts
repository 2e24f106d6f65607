import { type ConnectorsApp, runConnectors } from '@millrace/connectors'
import { postgresCdc } from '@millrace/connectors/postgres'
import pg from 'pg'
import { firstValueFrom } from 'rxjs'
import { filter } from 'rxjs/operators'
import { type BenchmarkResult, checkEqual } from '../benchmark.ts'
import { countFailures, countRecords, type Scene, ServerSpan, withScene } from './scene.ts'

const SNAPSHOT_ROWS = 1_000_000
const CHANGES = 500_000
const CHANGES_PER_TRANSACTION = 100
const TOPIC = 'shop.public.orders'
const TABLE =
  'CREATE TABLE orders (id bigint PRIMARY KEY, customer int NOT NULL, total numeric(10,2), note text, at timestamptz DEFAULT now())'
const ROWS = (count: number) =>
  `INSERT INTO orders SELECT i, i % 1000, (i % 10000) / 100.0, 'order number ' || i FROM generate_series(1, ${count}) AS i`

/** A table with rows, from the start of the source until the log has them. */
export function snapshot(): Promise<BenchmarkResult> {
  return withScene(async (scene) => {
    const { client, connection, server } = await scene.postgres()
    await client.query(TABLE)
    await client.query(ROWS(SNAPSHOT_ROWS))
    const span = new ServerSpan(server)
    const app = await start(scene, connection)
    const failures = countFailures(app, 'shop')
    await written(app, SNAPSHOT_ROWS)
    const result = span.end('snapshot', SNAPSHOT_ROWS, {})
    checkEqual('failures of the source', failures(), 0)
    await app.close()
    checkEqual('rows on the log', await countRecords(scene.log, TOPIC), SNAPSHOT_ROWS)
    return result
  })
}

/** Changes that wait in the server's log, from the start of the source until the log has them. */
export function streaming(): Promise<BenchmarkResult> {
  return withScene(async (scene) => {
    const { client, connection, server } = await scene.postgres()
    await client.query(TABLE)
    const first = await start(scene, connection)
    await Promise.race([snapshotFinished(first), first.done])
    await first.close()
    for (let id = 0; id < CHANGES; id += CHANGES_PER_TRANSACTION) {
      await client.query(
        `INSERT INTO orders SELECT i, i % 1000, 1.5, 'order number ' || i FROM generate_series(${id + 1}, ${id + CHANGES_PER_TRANSACTION}) AS i`
      )
    }
    const span = new ServerSpan(server)
    const app = await start(scene, connection)
    const failures = countFailures(app, 'shop')
    await written(app, CHANGES)
    const result = span.end('streaming', CHANGES, { changesPerTransaction: CHANGES_PER_TRANSACTION })
    checkEqual('failures of the source', failures(), 0)
    await app.close()
    checkEqual('changes on the log', await countRecords(scene.log, TOPIC), CHANGES)
    return result
  })
}

/** What a plain program does to the same table: read it whole and count, nothing kept. */
export function plainSelect(): Promise<BenchmarkResult> {
  return withScene(async (scene) => {
    const { client, server } = await scene.postgres()
    await client.query(TABLE)
    await client.query(ROWS(SNAPSHOT_ROWS))
    const span = new ServerSpan(server)
    let rows = 0
    for (let last = 0; ; ) {
      const page = await client.query<{ id: string }>('SELECT * FROM orders WHERE id > $1 ORDER BY id LIMIT 10000', [
        last
      ])
      if (page.rows.length === 0) break
      rows += page.rows.length
      last = Number(page.rows.at(-1)?.id)
    }
    checkEqual('rows read', rows, SNAPSHOT_ROWS)
    return span.end('plain pg select', SNAPSHOT_ROWS, { nothingKept: true })
  })
}

async function start(scene: Scene, connection: string): Promise<ConnectorsApp> {
  const source = postgresCdc({ driver: pg, connection, name: 'shop', tables: ['orders'] })
  return runConnectors({ log: scene.log, connectors: [{ source, topics: { partitions: 4 } }] })
}

async function snapshotFinished(app: ConnectorsApp): Promise<void> {
  await firstValueFrom(app.connector('shop').events$.pipe(filter(({ code }) => code === 'snapshot-finished')))
}

/** Resolves when the source's transactions hold so many records. */
async function written(app: ConnectorsApp, records: number): Promise<void> {
  await until(app, () => metric(app, 'source-record-write-total') >= records)
}

async function until(app: ConnectorsApp, holds: () => boolean): Promise<void> {
  let failed: unknown
  app.done.catch((error: unknown) => {
    failed = error
  })
  while (!holds()) {
    if (failed !== undefined) throw failed
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function metric(app: ConnectorsApp, name: string): number {
  return app.connector('shop').metrics()['source-task']?.[name] ?? 0
}
