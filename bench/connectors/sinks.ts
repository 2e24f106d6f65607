import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { jsonRows, runConnectors, type Sink } from '@millrace/connectors'
import { postgresSink } from '@millrace/connectors/postgres'
import { sqliteSink } from '@millrace/connectors/sqlite'
import { type Log, partitionForKey } from '@millrace/log'
import pg from 'pg'
import { type BenchmarkResult, checkEqual, Span } from '../benchmark.ts'
import { ServerSpan, withScene } from './scene.ts'

const TOPIC = 'orders'
const PARTITIONS = 4
const KEYS = 100_000
const BATCH_RECORDS = 2000
/** One process writes, and nobody waits for its locks. */
const SQLITE_BATCH_RECORDS = 10_000
const TABLE = 'CREATE TABLE orders (id bigint PRIMARY KEY, customer int, total numeric(10,2), note text, at bigint)'
const COLUMNS = ['id', 'customer', 'total', 'note', 'at']

/** Upserts of many keys, most of them updates, until the target has all of them. */
export function postgresUpserts(records = 400_000): Promise<BenchmarkResult> {
  return withScene(async ({ log, postgres }) => {
    const { client, connection, server } = await postgres()
    await client.query(TABLE)
    const sink = postgresSink({ name: 'orders', driver: pg, connection, rows: jsonRows() })
    const span = () => new ServerSpan(server)
    const result = await runSink('postgres sink', log, { sink, records, span, batchRecords: BATCH_RECORDS })
    const { rows } = await client.query<{ count: string; sum: string }>('SELECT count(*), sum(at) FROM orders')
    checkSums(rows[0], records)
    return result
  })
}

/** As above, into SQLite. */
export function sqliteUpserts(records = 1_000_000): Promise<BenchmarkResult> {
  return withScene(async ({ log, directory }) => {
    const file = join(directory, 'orders.db')
    const database = new DatabaseSync(file)
    database.exec('PRAGMA journal_mode = WAL')
    // In SQLite only this type makes the key the row's own number, without an index beside the table.
    database.exec(TABLE.replace('bigint PRIMARY KEY', 'INTEGER PRIMARY KEY'))
    const sink = sqliteSink({ name: 'orders', file, rows: jsonRows() })
    const span = () => new Span()
    const result = await runSink('sqlite sink', log, { sink, records, span, batchRecords: SQLITE_BATCH_RECORDS })
    checkSums({ ...database.prepare('SELECT count(*) AS count, sum(at) AS sum FROM orders').get() }, records)
    database.close()
    return result
  })
}

/** What a plain program does: the same rows from memory, in transactions of as many upserts, one statement each. No offsets, no repeats handled. */
export function plainUpserts(records = 20_000): Promise<BenchmarkResult> {
  return withScene(async ({ postgres }) => {
    const { client, server } = await postgres()
    await client.query(TABLE)
    const sql = `INSERT INTO orders VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET customer = excluded.customer, total = excluded.total,
      note = excluded.note, at = excluded.at`
    const span = new ServerSpan(server)
    for (let i = 0; i < records; i += BATCH_RECORDS) {
      await client.query('BEGIN')
      for (let at = i; at < i + BATCH_RECORDS; at++) {
        const row = rowOf(at)
        await client.query({
          name: 'upsert',
          text: sql,
          values: [keyOf(at), row.customer, row.total, row.note, row.at]
        })
      }
      await client.query('COMMIT')
    }
    const result = span.end('plain pg loop', records, { offsetsKept: false })
    const { rows } = await client.query<{ count: string; sum: string }>('SELECT count(*), sum(at) FROM orders')
    checkSums(rows[0], records)
    return result
  })
}

interface SinkRun {
  readonly sink: Sink
  readonly records: number
  readonly batchRecords: number
  /** Begins to measure. */
  readonly span: () => Pick<Span, 'end'>
}

async function runSink(name: string, log: Log, { sink, records, batchRecords, span: begin }: SinkRun) {
  await produce(log, records)
  const span = begin()
  const app = await runConnectors({ log, connectors: [{ sink, topics: [TOPIC], batchRecords }] })
  let failed: unknown
  app.done.catch((error: unknown) => {
    failed = error
  })
  while ((app.connector('orders').metrics()['sink-task']?.['sink-record-send-total'] ?? 0) < records) {
    if (failed !== undefined) throw failed
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const result = span.end(name, records, { keys: KEYS, batchRecords, columns: COLUMNS.length })
  await app.close()
  return result
}

async function produce(log: Log, records: number): Promise<void> {
  const admin = log.admin()
  await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS }])
  await admin.close()
  const producer = log.producer({ lingerMs: 5 })
  for (let i = 0; i < records; i++) {
    const key = Buffer.from(`{"id":${keyOf(i)}}`)
    producer.enqueue(TOPIC, partitionForKey(key, PARTITIONS), key, Buffer.from(JSON.stringify(rowOf(i))), 1)
    if (i % 50_000 === 0) await producer.flush()
  }
  await producer.close()
}

function keyOf(i: number): number {
  return (i * 7919) % KEYS
}

function rowOf(i: number) {
  return { customer: i % 1000, total: `${i % 10_000}.50`, note: `order number ${i}`, at: i }
}

/** The oracle: the last record of each key. */
function checkSums(found: { readonly count?: unknown; readonly sum?: unknown } | undefined, records: number): void {
  const last = new Map<number, number>()
  for (let i = 0; i < records; i++) last.set(keyOf(i), i)
  const sum = [...last.values()].reduce((total, at) => total + at, 0)
  checkEqual('rows in the target', Number(found?.count), last.size)
  checkEqual('sum of a column', Number(found?.sum), sum)
}
