import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { debeziumRows } from '../../rows/debezium-rows.ts'
import { CrashingLog } from '../../testing/crashing-log.ts'
import { installedPostgresVersions, missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { eventually } from '../../testing/patience.ts'
import { postgresSink } from '../sink/postgres-sink.ts'
import { postgresCdc } from './postgres-cdc.ts'
import { TestDatabase } from './testing/database.ts'
import { TYPE_CASES, TYPES_SQL } from './testing/type-cases.ts'

const missing = missingPostgres()
const LARGE_ROWS = 1500
const PATIENCE_MS = 60_000
/** JSON has no place for the lower bounds of an array. */
const KEPT = TYPE_CASES.filter(([, sql]) => !/\[-?\d+:/.test(sql))

/** What the tables of both databases are, and the settings under which their values are compared. */
const TABLES_SQL = `${TYPES_SQL};
  create table types (id int primary key, ${KEPT.map(([type], index) => `c${index} ${type}`).join(', ')});
  create table rows (id int primary key, n int, big text);
  create table emptied (id int primary key);
  create table made (id int primary key, a int, twice int generated always as (a * 2) stored)`

const COMPARED = ['types', 'rows', 'emptied', 'made']

/** All rows as PostgreSQL writes them. */
async function textsOf(client: pg.Client): Promise<string[]> {
  const texts: string[] = []
  for (const table of COMPARED) {
    const { rows } = await client.query(`select t::text as row from ${table} t order by id`)
    texts.push(...rows.map(({ row }) => `${table}: ${row}`))
  }
  return texts
}

describe.skipIf(missing).each(installedPostgresVersions())(`PostgreSQL %i ${missing ?? ''}`, (version) => {
  it('is read while it is written to, streamed, left and taken up again, and written into another one of its kind', async () => {
    const database = await TestDatabase.start({ version, settings: { logical_decoding_work_mem: '64kB' } })
    const target = new pg.Client({ connectionString: await database.server.createDatabase('target') })
    const log = await CrashingLog.open()
    const { client } = database
    const sql = (text: string) => database.sql(text)
    const source = (options = {}) => ({
      source: postgresCdc({
        driver: pg,
        connection: database.url,
        name: 'app',
        tables: COMPARED,
        idlePositionMs: 20,
        chunkRows: 100,
        ...options
      }),
      commitInterval: 5
    })
    const recordsOf = (table: string) => log.contents(`app.public.${table}`)
    try {
      await target.connect()
      await target.query(TABLES_SQL)
      await sql(TABLES_SQL)
      const values = KEPT.map(([, value]) => value).join(', ')
      await sql(`insert into types values (1, ${values})`)
      await sql(`insert into rows select i, 0, repeat('v', i % 5 * 900) from generate_series(1, 1500) i`)
      await sql(`alter table rows alter big set storage external`)
      await sql(`insert into rows select -i, 0, repeat('v', 5000) from generate_series(2, 20) i`)
      await sql(`insert into emptied select generate_series(1, 10)`)
      await sql('insert into made values (1, 2)')

      // Snapshot under writes.
      let writing = true
      const first = await log.run(source())
      const writer = (async () => {
        for (let round = 1; writing; round++) {
          const id = (round * 7919) % 1500
          await sql(`update rows set n = n + 1 where id between ${id} and ${id + 20}`)
          await sql(`update rows set id = id + 10000 where id = ${(round * 31) % 1500}`)
          await sql(`delete from rows where id = ${(round * 17) % 1500}`)
        }
      })()
      await eventually(
        'the tables to be read',
        async () => await snapshotsLeft(log),
        (left) => left === 0,
        PATIENCE_MS
      )
      writing = false
      await writer

      // The stream.
      await sql(`insert into types values (2, ${values})`)
      await sql('update types set id = 3 where id = 2; delete from types where id = 1')
      await sql('update rows set n = -1 where id < 0')
      await sql('truncate emptied; insert into emptied values (11); update made set a = 3')
      await sql(`begin; insert into rows select i, i, 'large' from generate_series(20001, ${20000 + LARGE_ROWS}) i; savepoint s;
        insert into rows select i, i, 'undone' from generate_series(30001, 31500) i; rollback to savepoint s; commit`)
      await eventually(
        'the large transaction',
        async () => (await recordsOf('rows')).filter(({ value }) => value?.includes('"large"')).length,
        (count) => count === LARGE_ROWS,
        PATIENCE_MS
      )

      // An idle source lets the server forget its log; taken up again, it repeats nothing.
      const idle = await confirmed(client)
      await sql('create table noise as select generate_series(1, 2000)')
      await eventually(
        'the position to go on',
        () => confirmed(client),
        (lsn) => lsn > idle + 100_000,
        PATIENCE_MS
      )
      await first.close()
      const before = (await recordsOf('rows')).length
      await log.crash()
      await log.run(source())
      await sql(`insert into rows values (-1, 0, 'last')`)
      await eventually(
        'the last row',
        () => recordsOf('rows'),
        (records) => records.length > before,
        PATIENCE_MS
      )
      expect((await recordsOf('rows')).length).toBe(before + 1)

      // Into another database.
      const sink = postgresSink({
        driver: pg,
        connection: database.server.databaseUrl('target'),
        name: 'copy',
        rows: debeziumRows()
      })
      const copying = await log.run({ sink, topics: /^app\.public\./ })
      const wanted = await textsOf(client)
      await Promise.race([
        copying.done,
        eventually(
          'the other database to be equal',
          async () => differences(wanted, await textsOf(target)),
          (found) => found.length === 0,
          PATIENCE_MS
        )
      ])
    } finally {
      await log.close()
      await target.end()
      await database.stop()
    }
  }, 300_000)
})

function differences(wanted: readonly string[], found: readonly string[]): string[] {
  const [here, there] = [new Set(wanted), new Set(found)]
  return [...wanted.filter((row) => !there.has(row)), ...found.filter((row) => !here.has(row))]
}

/** How many tables' snapshots have no position in the log that says that they are done. */
async function snapshotsLeft(log: CrashingLog): Promise<number> {
  const done = new Set<string>()
  for (const { key, value } of await log.contents('connect-offsets')) {
    const split: unknown = JSON.parse(key?.toString() ?? '[]')[1]
    if (typeof split !== 'string' || !split.startsWith('snapshot:')) continue
    if (value !== null && JSON.parse(value.toString()).state === 'done') done.add(split)
  }
  return COMPARED.length - done.size
}

async function confirmed(client: pg.Client): Promise<number> {
  const { rows } = await client.query(
    `select pg_wal_lsn_diff(confirmed_flush_lsn, '0/0')::float8 lsn from pg_replication_slots where database = 'app'`
  )
  return rows[0].lsn
}
