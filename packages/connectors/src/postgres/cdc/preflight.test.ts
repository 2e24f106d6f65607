import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../errors.ts'
import { missingPostgres, startPostgres } from '../../testing/embedded-postgres/index.ts'
import { PostgresAccessError, PostgresPreflightError, PostgresSlotInUseError, PostgresSlotLostError } from './errors.ts'
import { isRead, TestDatabase } from './testing/database.ts'

const missing = missingPostgres()

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'no error',
    (error) => error
  )
}

describe.skipIf(missing)(`what is wrong is said ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start({
      hba: ['host all,replication stranger 127.0.0.1/32 scram-sha-256', 'host all,replication all 127.0.0.1/32 trust']
    })
    await database.sql(`create role stranger login replication password 'right'; create role reader login`)
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  const problemsOf = (error: unknown) =>
    error instanceof PostgresPreflightError
      ? error.problems.map((problem) => [problem.setting, problem.fix])
      : [[error]]

  it('wal_level, a role without REPLICATION, no slot or sender free: all at once', async () => {
    const other = await startPostgres({ settings: { wal_level: 'replica', max_replication_slots: 0 } })
    try {
      const client = new pg.Client({ connectionString: other.url })
      await client.connect()
      await client.query('create role reader login')
      await client.end()
      const table = await database.newTable('id int primary key')
      const connection = other.databaseUrl('postgres', 'reader')
      const error = await rejection(database.newRig().open(table.source({ connection })))
      // The replication connection of such a role is refused before anything can be asked.
      expect(error).toBeInstanceOf(PostgresPreflightError)
      expect(problemsOf(error)).toEqual([
        ['wal_level', expect.stringContaining(`ALTER SYSTEM SET wal_level = 'logical'`)],
        ['role reader', 'ALTER ROLE "reader" REPLICATION'],
        ['max_replication_slots', expect.stringContaining('ALTER SYSTEM SET max_replication_slots = 4')]
      ])
    } finally {
      await other.stop()
    }
  })

  it('a wrong password, a database and a server that are not there', async () => {
    const table = await database.newTable('id int primary key')
    const port = database.server.port
    const open = (connection: string) => rejection(database.newRig().open(table.source({ connection })))
    const wrong = await open(`postgres://stranger:wrong@127.0.0.1:${port}/app`)
    expect(wrong).toBeInstanceOf(PostgresAccessError)
    expect(wrong).toMatchObject({ sqlState: '28P01' })
    expect(await open(`postgres://postgres@127.0.0.1:${port}/nowhere`)).toMatchObject({ sqlState: '3D000' })
    expect(await open(`postgres://postgres@127.0.0.1:1/app`)).toBeInstanceOf(TransientSourceError)
  })

  it('tables that may not be read or published', async () => {
    const table = await database.newTable('id int primary key')
    const connection = `postgres://stranger:right@127.0.0.1:${database.server.port}/app`
    const unpublished = await rejection(database.newRig().open(table.source({ connection })))
    expect(problemsOf(unpublished)[0][1]).toContain('CREATE PUBLICATION')
    await database.sql(`create publication pub_${table.name} for table ${table.name}`)
    const unreadable = await rejection(database.newRig().open(table.source({ connection })))
    expect(problemsOf(unreadable)).toEqual([
      [`privilege on public.${table.name}`, `GRANT SELECT ON "public"."${table.name}" TO "stranger"`]
    ])
    await database.sql(`grant select on ${table.name} to stranger`)
    await database.newRig().open(table.source({ connection }))
  })

  it('a table without a key, and a publication that is not there or lacks a table', async () => {
    const table = await database.newTable('id int')
    expect(problemsOf(await rejection(database.newRig().open(table.source())))[0]).toEqual([
      `replica identity of public.${table.name}`,
      expect.stringContaining('REPLICA IDENTITY FULL')
    ])
    const other = await database.newTable('id int primary key')
    const strict = { managePublication: false }
    expect(problemsOf(await rejection(database.newRig().open(other.source(strict))))[0][1]).toBe(
      `CREATE PUBLICATION "pub_${other.name}" FOR TABLE "public"."${other.name}" WITH (publish_via_partition_root = true)`
    )
    await database.sql(`create publication pub_${other.name}`)
    expect(problemsOf(await rejection(database.newRig().open(other.source(strict))))[0][1]).toBe(
      `ALTER PUBLICATION "pub_${other.name}" ADD TABLE "public"."${other.name}"`
    )
  })

  it('standbys keep the slot, new or old, when told to', async () => {
    const table = await database.newTable('id int primary key')
    const kept = async () =>
      (await database.sql('select failover from pg_replication_slots where slot_name = $1', [table.slot]))[0].failover
    const rig = database.newRig()
    await rig.open(table.source({ failoverSlot: true }))
    await rig.until(isRead(rig))
    expect(await kept()).toBe(true)
    await rig.close()
    await database.endTest()
    const later = database.newRig()
    await later.open(table.source())
    await later.until(isRead(later))
    await later.close()
    expect(await kept()).toBe(false)
    await later.open(table.source({ failoverSlot: true }))
    await database.sql(`insert into ${table.name} values (1)`)
    await later.until(() => later.table(table.topic).size === 1)
    expect(await kept()).toBe(true)
  })

  it.skipIf(missingPostgres(16))('a server that is too old for slots that standbys keep', async () => {
    const old = await startPostgres({ version: 16 })
    try {
      const table = await database.newTable('id int primary key')
      const opening = database.newRig().open(table.source({ connection: old.url, failoverSlot: true }))
      expect(problemsOf(await rejection(opening))).toEqual([['failoverSlot', expect.stringContaining('PostgreSQL 17')]])
    } finally {
      await old.stop()
    }
  })

  it('a slot that another holds, with its process', async () => {
    const table = await database.newTable('id int primary key')
    const first = database.newRig()
    await first.open(table.source())
    const error = await rejection(database.newRig().open(table.source()))
    expect(error).toBeInstanceOf(TransientSourceError)
    const cause = error instanceof Error ? error.cause : undefined
    expect(cause).toBeInstanceOf(PostgresSlotInUseError)
    const rows = await database.sql('select active_pid from pg_replication_slots where slot_name = $1', [table.slot])
    expect(cause).toMatchObject({ slot: table.slot, pid: rows[0].active_pid })
  })

  it('a slot that was dropped, or made anew; and reads all again when told to, with what was deleted meanwhile gone', async () => {
    const table = await database.newTable('id int primary key')
    await database.sql(`insert into ${table.name} values (1), (2)`)
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await rig.close()
    await database.sql('select pg_drop_replication_slot($1)', [table.slot])
    await database.sql(`delete from ${table.name} where id = 1; insert into ${table.name} values (3)`)
    const gone = await rejection(rig.open(table.source()))
    expect(gone).toBeInstanceOf(PostgresSlotLostError)
    expect(gone).toMatchObject({ reason: 'missing', slot: table.slot })
    await database.sql(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [table.slot])
    expect(await rejection(rig.open(table.source()))).toMatchObject({ reason: 'advanced' })
    rig.events.length = 0
    await rig.open(table.source({ onLostSlot: 'resnapshot' }))
    await rig.until(isRead(rig))
    expect([...rig.table(table.topic).keys()].sort()).toEqual(['{"id":2}', '{"id":3}'])
    expect(rig.events.map((event) => event.code)).toContain('resnapshot')
  })

  it('a slot that the server gave up', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await rig.close()
    await database.sql(`alter system set max_slot_wal_keep_size = '1MB'`)
    await database.sql('select pg_reload_conf()')
    try {
      for (let i = 0; i < 3; i++)
        await database.sql('select pg_switch_wal(), pg_logical_emit_message(true, $1, $1)', ['x'])
      await database.sql('checkpoint')
      expect(await rejection(rig.open(table.source()))).toMatchObject({ reason: 'invalidated' })
    } finally {
      await database.sql('alter system reset max_slot_wal_keep_size')
      await database.sql('select pg_reload_conf()')
    }
  })

  it('a publication that is dropped, at once and after a restart', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source({ checkIntervalMs: 20 }))
    await rig.until(isRead(rig))
    await database.sql(`drop publication pub_${table.name}`)
    await expect(rig.until(() => false)).rejects.toMatchObject({ reason: 'republished' })
    await rig.crash()
    await database.sql(`create publication pub_${table.name} for table ${table.name}`)
    expect(await rejection(rig.open(table.source()))).toMatchObject({ reason: 'republished' })
  })

  it('another server', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await rig.close()
    const position = rig.positions.get('stream')
    if (position?.kind === 'stream') rig.positions.set('stream', { ...position, systemId: '1' })
    expect(await rejection(rig.open(table.source()))).toMatchObject({ reason: 'other-system' })
  })
})
