import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '@millrace/connectors/testing/postgres'
import { type Log, openLog } from '@millrace/log'
import pg from 'pg'

/** A log on disk, and a PostgreSQL with an empty database for the asking. */
export interface Scene {
  readonly log: Log
  readonly directory: string
  /** Started when it is asked for first; its own fsync is off, so that it is not what is measured. */
  postgres(): Promise<{ readonly connection: string; readonly client: pg.Client; readonly server: PostgresServer }>
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
