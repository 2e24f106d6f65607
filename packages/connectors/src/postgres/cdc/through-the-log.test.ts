import { FileEngine } from '@millrace/streams'
import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { CrashingLog } from '../../testing/crashing-log.ts'
import { installedPostgresVersions, missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { eventually } from '../../testing/patience.ts'
import { postgresCdc } from './postgres-cdc.ts'
import { TestDatabase } from './testing/database.ts'

const missing = missingPostgres()
const TABLES = ['accounts', 'events']

/** Numbers that follow from a seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One random transaction over both tables. */
async function randomTransaction(client: pg.Client, random: (below: number) => number): Promise<void> {
  await client.query('begin')
  for (let i = 0; i <= random(6); i++) {
    const table = TABLES[random(2)]
    const id = random(300)
    const wide = random(4) === 0 ? 'w'.repeat(random(9000)) : 'short'
    const kind = random(20)
    if (kind < 9) {
      await client.query(`insert into ${table} values ($1, $2, $3) on conflict (id) do update set n = excluded.n`, [
        id,
        random(1e6),
        wide
      ])
    } else if (kind < 13) await client.query(`update ${table} set n = n + 1 where id between $1 and $1 + 3`, [id])
    else if (kind < 15)
      await client.query(
        `update ${table} set id = id + 1000 where id = $1 and not exists (select from ${table} where id = $1 + 1000)`,
        [id]
      )
    else if (kind < 18) await client.query(`delete from ${table} where id = $1`, [id])
    else if (kind < 19) {
      await client.query('savepoint s')
      await client.query(`delete from ${table}`)
      await client.query('rollback to savepoint s')
    } else if (random(10) === 0) await client.query(`truncate ${table}`)
    else
      await client.query(
        `insert into ${table} select i, 0, repeat('b', 50) from generate_series(300, 900) i on conflict do nothing`
      )
  }
  await client.query(random(8) === 0 ? 'rollback' : 'commit')
}

describe.skipIf(missing).each(installedPostgresVersions())(
  `PostgreSQL %i through the log ${missing ?? ''}`,
  (version) => {
    it.each([1])(
      'makes tables equal, through kills of process, connection and server: seed %i',
      async (seed) => {
        const database = await TestDatabase.start({ version, settings: { logical_decoding_work_mem: '64kB' } })
        const log = await CrashingLog.open()
        const random = randomOf(seed * 7919 + version)
        try {
          for (const table of TABLES) await database.sql(`create table ${table} (id int primary key, n int, wide text)`)
          await database.sql(
            `insert into accounts select i, i, repeat('z', i % 7 * 700) from generate_series(1, 5000) i`
          )
          const source = () =>
            postgresCdc({
              driver: pg,
              connection: database.url,
              name: 'db',
              tables: TABLES,
              batchRecords: 50,
              chunkRows: 300,
              chunkBytes: 30_000,
              spillAboveBytes: 20_000
            })
          const connector = () => ({
            source: source(),
            commitInterval: 5,
            backoff: { firstMs: 5, maxMs: 50 },
            engine: FileEngine.open
          })
          await log.run(connector())
          for (let round = 0; round < 5; round++) {
            for (let i = 0; i < 40; i++) await randomTransaction(database.client, random)
            await new Promise((resolve) => setTimeout(resolve, random(150)))
            const fault = random(3)
            if (fault === 0) {
              await database.sql('select pg_terminate_backend(active_pid) from pg_replication_slots where active')
            } else if (fault === 1) {
              await database.server.kill('SIGKILL')
              await database.server.start()
              await database.reconnect()
            } else {
              await log.crash()
              await log.run(connector())
            }
          }
          for (let i = 0; i < 20; i++) await randomTransaction(database.client, random)
          for (const table of TABLES) {
            const rows = await database.sql(`select id, n, wide from ${table} order by id`)
            await eventually(
              `${table} to be equal`,
              async () => fold(await log.contents(`db.public.${table}`)),
              (seen) => JSON.stringify(seen) === JSON.stringify(rows),
              120_000
            )
          }
          const records = await log.contents('db.public.accounts')
          expect(records.filter((record) => record.value?.includes('__debezium_unavailable_value'))).toEqual([])
        } finally {
          await log.close()
          await database.stop()
        }
      },
      300_000
    )
  }
)

interface Row {
  readonly id: number
}

function fold(records: readonly { readonly key: Buffer | null; readonly value: Buffer | null }[]): Row[] {
  const rows = new Map<string | undefined, Row>()
  for (const { key, value } of records) {
    const change = value === null ? null : JSON.parse(value.toString())
    if (change?.op === 't') rows.clear()
    else if (change === null || change.op === 'd') rows.delete(key?.toString())
    else rows.set(key?.toString(), change.after)
  }
  return [...rows.values()].sort((x, y) => x.id - y.id)
}
