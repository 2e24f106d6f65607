import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { PostgresAccessError, PostgresPreflightError } from './errors.ts'
import { isRead, TestDatabase } from './testing/database.ts'

const missing = missingPostgres()

async function problemsOf(opening: Promise<unknown>): Promise<unknown> {
  const error = await opening.then(
    () => 'no error',
    (reason) => reason
  )
  return error instanceof PostgresPreflightError ? error.problems.map(({ setting, fix }) => [setting, fix]) : error
}

describe.skipIf(missing)(`publishing tables ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start({
      hba: ['host all,replication secret 127.0.0.1/32 scram-sha-256', 'host all,replication all 127.0.0.1/32 trust']
    })
    await database.sql(`create role weak login replication; create role secret login replication password 'right'`)
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  const as = (user: string, more = {}) => ({
    host: '127.0.0.1',
    port: database.server.port,
    user,
    database: 'app',
    ...more
  })

  it('does not publish a table whose updates would fail then', async () => {
    const table = await database.newTable('v int')
    await database.sql(`insert into ${table.name} values (1)`)
    expect(await problemsOf(database.newRig().open(table.source()))).toEqual([
      [`replica identity of public.${table.name}`, expect.stringContaining('REPLICA IDENTITY FULL')]
    ])
    await database.sql(`update ${table.name} set v = 2`)
    expect(await database.sql(`select from pg_publication where pubname = 'pub_${table.name}'`)).toEqual([])
  })

  it('knows that neither a deferrable key nor a partition without one tells rows apart', async () => {
    const deferrable = await database.newTable('id int primary key deferrable')
    const parted = await database.newTable('id int', 'partition by range (id)')
    await database.sql(`create table ${parted.name}_a partition of ${parted.name} for values from (0) to (10);
      alter table ${parted.name} replica identity full`)
    for (const table of [deferrable, parted]) {
      expect(await problemsOf(database.newRig().open(table.source()))).toEqual([
        [`replica identity of public.${table.name}`, expect.stringContaining('REPLICA IDENTITY FULL')]
      ])
      await database.sql(`insert into ${table.name} values (1); update ${table.name} set id = 2`)
    }
  })

  it('leaves a new table alone while it has no key, says so once, and takes it up when it has one', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source({ tables: [table.name, 'young_*'], checkIntervalMs: 10 }))
    await rig.until(isRead(rig))
    await database.sql('create table young_one (id int); create table young_two (id int primary key)')
    await database.sql('insert into young_one values (1); insert into young_two values (1)')
    await rig.until(() => rig.table('app.public.young_two').size === 1)
    await database.sql('update young_one set id = 2')
    const warnings = () => rig.events.filter((event) => event.code === 'table-without-identity')
    expect(warnings().map(({ message }) => message)).toEqual([
      expect.stringContaining('ALTER TABLE "public"."young_one"')
    ])
    await database.sql('alter table young_one add primary key (id)')
    await rig.until(() => rig.table('app.public.young_one').has('{"id":2}'))
    expect(warnings().length).toBe(1)
  })

  it('names the statement for a schema that may not be entered, and for row-level security', async () => {
    const table = await database.newTable('id int primary key')
    await database.sql(`create schema closed; create table closed.t (id int primary key);
      create publication pub_${table.name} for table ${table.name}, closed.t;
      grant select on ${table.name}, closed.t to weak; alter table ${table.name} enable row level security`)
    const opening = database.newRig().open(table.source({ connection: as('weak'), tables: [table.name, 'closed.t'] }))
    expect(await problemsOf(opening)).toEqual([
      ['privilege on closed.t', 'GRANT USAGE ON SCHEMA "closed" TO "weak"'],
      [`row-level security of public.${table.name}`, 'ALTER ROLE "weak" BYPASSRLS']
    ])
    await database.sql(`grant usage on schema closed to weak; alter role weak bypassrls`)
    await database.newRig().open(table.source({ connection: as('weak'), tables: [table.name, 'closed.t'] }))
  })

  it('says how to publish a partitioned table as one', async () => {
    const table = await database.newTable('id int primary key', 'partition by range (id)')
    await database.sql(`create table ${table.name}_a partition of ${table.name} for values from (0) to (10);
      create publication pub_${table.name} for table ${table.name}`)
    const fix = `ALTER PUBLICATION "pub_${table.name}" SET (publish_via_partition_root = true)`
    for (const managePublication of [true, false]) {
      const opening = database.newRig().open(table.source({ managePublication }))
      expect(await problemsOf(opening)).toEqual([[`publication pub_${table.name}`, fix]])
    }
    await database.sql(fix)
    await database.newRig().open(table.source())
  })

  it.each([
    ['all tables', 'for all tables'],
    ['a schema', 'for tables in schema public']
  ])('takes what it is to take from a publication of %s', async (_, what) => {
    const table = await database.newTable('id int primary key')
    const other = await database.newTable('v int')
    await database.sql(`create publication pub_${table.name} ${what}; insert into ${table.name} values (1)`)
    const rig = database.newRig()
    await rig.open(table.source({ checkIntervalMs: 10 }))
    await rig.until(isRead(rig))
    await database.sql(`insert into ${other.name} values (1); insert into ${table.name} values (2)`)
    await rig.until(() => rig.table(table.topic).size === 2)
    expect(rig.records.length).toBe(2)
    await rig.close()
    await rig.open(table.source())
    await database.sql(`insert into ${table.name} values (3); drop publication pub_${table.name}`)
    await rig.until(() => rig.table(table.topic).size === 3)
  })

  it('has generated columns where the publication has them, from snapshot and stream', async () => {
    const table = await database.newTable(
      'id int primary key, a int, twice int generated always as (a * 2) stored, thrice int generated always as (a * 3) virtual'
    )
    await database.sql(`insert into ${table.name} values (1, 1);
      create publication pub_${table.name} for table ${table.name} with (publish_generated_columns = stored)`)
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await database.sql(`insert into ${table.name} values (2, 2)`)
    await rig.until(() => rig.table(table.topic).size === 2)
    expect([...rig.table(table.topic).values()]).toEqual([
      { id: 1, a: 1, twice: 2 },
      { id: 2, a: 2, twice: 4 }
    ])
  })

  it('warns of a publication that leaves changes out, and of tables that are nowhere', async () => {
    const table = await database.newTable('id int primary key')
    await database.sql(`create publication pub_${table.name} for table ${table.name} with (publish = 'insert, update')`)
    const rig = database.newRig()
    await rig.open(table.source({ tables: [table.name, 'nowhere'] }))
    const messages = rig.events.filter(({ level }) => level === 'warning').map(({ message }) => message)
    expect(messages).toContainEqual(
      `publication pub_${table.name} leaves out delete, truncate: they are not captured. ALTER PUBLICATION "pub_${table.name}" SET (publish = 'insert, update, delete, truncate') publishes them`
    )
    expect(messages).toContainEqual(expect.stringContaining('no table is there yet for nowhere'))
  })

  it('refuses the slot of another database, and says which slot is to go for a publication', async () => {
    const table = await database.newTable('id int primary key')
    const other = await database.server.createDatabase()
    const client = new pg.Client({ connectionString: other })
    await client.connect()
    await client.query(`select pg_create_logical_replication_slot('${table.slot}', 'pgoutput')`)
    expect(await problemsOf(database.newRig().open(table.source()))).toEqual([
      [`replication slot ${table.slot}`, 'name another slot']
    ])
    await client.query(`select pg_drop_replication_slot('${table.slot}')`)
    await client.end()
    await database.sql(`select pg_create_logical_replication_slot('${table.slot}', 'pgoutput')`)
    expect(await problemsOf(database.newRig().open(table.source()))).toEqual([
      [`publication pub_${table.name}`, expect.stringContaining(`SELECT pg_drop_replication_slot('${table.slot}')`)]
    ])
  })

  it('does not try again without a password, or with TLS where there is none', async () => {
    const table = await database.newTable('id int primary key')
    for (const connection of [as('secret'), as('postgres', { ssl: true })]) {
      const opening = database.newRig().open(table.source({ connection }))
      await expect(opening).rejects.toThrow(PostgresAccessError)
    }
  })
})
