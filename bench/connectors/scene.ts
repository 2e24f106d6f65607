import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectorsApp } from '@millrace/connectors'
import { type PostgresServer, startPostgres } from '@millrace/connectors/testing/postgres'
import { type Log, openLog } from '@millrace/log'
import pg from 'pg'
import { type BenchmarkResult, Span } from '../benchmark.ts'

/** Of Linux, as `/proc` counts. */
const TICKS_PER_SECOND = 100

/** A log on disk, and a PostgreSQL with an empty database for the asking. */
export interface Scene {
  readonly log: Log
  readonly directory: string
  /** Started when it is asked for first; its own fsync is off, so that it is not what is measured. */
  postgres(): Promise<{ readonly connection: string; readonly client: pg.Client; readonly server: PostgresServer }>
}

/** Measures a span as `Span` does, and beside it what the server worked: on few cores it is the server that a figure ends at. */
export class ServerSpan {
  readonly #server: PostgresServer
  readonly #span = new Span()
  readonly #serverBegan: number

  constructor(server: PostgresServer) {
    this.#server = server
    this.#serverBegan = serverCpuSeconds(server)
  }

  end(...[name, records, details]: Parameters<Span['end']>): BenchmarkResult {
    const serverMicros = (serverCpuSeconds(this.#server) - this.#serverBegan) * 1e6
    const serverCpuMicrosPerRecord = Math.round((serverMicros / records) * 100) / 100
    return this.#span.end(name, records, { ...details, serverCpuMicrosPerRecord })
  }
}

/** Runs with a scene that is gone afterwards. */
export async function withScene<T>(run: (scene: Scene) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'))
  const log = await openLog({ dir: join(directory, 'log') })
  const closing: (() => Promise<unknown>)[] = []
  const postgres = async () => {
    const server = await startPostgres()
    closing.unshift(() => server.stop())
    const connection = await server.createDatabase('bench')
    const client = new pg.Client(connection)
    await client.connect()
    closing.unshift(() => client.end())
    return { connection, client, server }
  }
  try {
    return await run({ log, directory, postgres })
  } finally {
    for (const close of closing) await close()
    await log.close()
    rmSync(directory, { recursive: true })
  }
}

/**
 * CPU seconds that the server's processes have used so far, those that have ended included. NaN where the system has no `/proc`.
 */
function serverCpuSeconds(server: PostgresServer): number {
  if (!existsSync('/proc/self/stat')) return Number.NaN
  const [postmaster] = readFileSync(join(server.dataDirectory, 'postmaster.pid'), 'utf8').split('\n')
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(pid)
    if (pid === postmaster) ticks += sum(fields.slice(11, 15))
    else if (fields[1] === postmaster) ticks += sum(fields.slice(11, 13))
  }
  return ticks / TICKS_PER_SECOND
}

/** Fields of a process behind its name, beginning with its state; none when it has ended. */
function statOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  } catch {
    return []
  }
}

function sum(fields: readonly string[]): number {
  return fields.reduce((total, field) => total + Number(field), 0)
}

/** Counts what failed and was repaired from now on: a figure that holds restarts is none. */
export function countFailures(app: ConnectorsApp, connector: string): () => number {
  let failures = 0
  app.connector(connector).errors$.subscribe(() => failures++)
  return () => failures
}

/** Records on a topic that a program can read: control records and aborted ones are none. */
export async function countRecords(log: Log, topic: string): Promise<number> {
  const consumer = log.consumer()
  const admin = log.admin()
  const partitions = ((await admin.describeTopics([topic])).get(topic)?.partitions ?? []).map(({ index }) => ({
    topic,
    partition: index
  }))
  const ends = await consumer.endOffsets(partitions, 'read_committed')
  const left = new Map([...ends].filter(([, end]) => end > 0))
  consumer.assign(partitions)
  for (const partition of partitions) consumer.seek(partition, 0)
  let count = 0
  while (left.size > 0) {
    for (const fetched of await consumer.poll(1000)) {
      for (const batch of fetched.batches) count += batch.recordCount
      const name = `${topic}-${fetched.partition}`
      if (fetched.nextOffset >= (left.get(name) ?? 0)) left.delete(name)
    }
  }
  await consumer.close()
  await admin.close()
  return count
}
