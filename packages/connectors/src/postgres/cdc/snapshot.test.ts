import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { isRead, TestDatabase, until } from './testing/database.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`snapshots ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  it('goes on where it was when it is killed half-way', async () => {
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} select i, i * 2 from generate_series(1, 5000) i`)
    const options = { chunkRows: 500, chunkBytes: 10_000 }
    const rig = database.newRig()
    await rig.open(table.source(options))
    await rig.until(() => rig.of(table.topic).length >= 1000)
    const lost = await rig.read()
    expect(lost?.records.length).toBeGreaterThanOrEqual(0)
    await rig.crash()
    const before = rig.of(table.topic).length
    expect(before).toBeLessThan(5000)
    await rig.open(table.source(options))
    await rig.until(isRead(rig))
    const reads = rig.of(table.topic)
    expect(reads.map((record) => record.value.after.id)).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1))
    expect(new Set(reads.map((record) => record.value.op))).toEqual(new Set(['r']))
  })

  it('makes a table equal to the source while it is written to', async () => {
    const table = await database.newTable('a text, b int, v int, primary key (b, a)')
    await database.sql(`insert into ${table.name} select 'k' || i, i % 7, 0 from generate_series(1, 4000) i`)
    const rig = database.newRig()
    await rig.open(table.source({ chunkRows: 200, chunkBytes: 4000 }))
    let writing = true
    const writer = (async () => {
      for (let round = 1; writing; round++) {
        const n = 1 + ((round * 7919) % 4500)
        await database.sql(`insert into ${table.name} values ('k${n}', ${n % 7}, ${round})
          on conflict (b, a) do update set v = excluded.v`)
        await database.sql(`delete from ${table.name} where a = 'k${(n * 31) % 4500}'`)
        await database.sql(`update ${table.name} set b = b + 7, v = ${round} where a = 'k${(n * 17) % 4500}'`)
      }
    })()
    await rig.until(isRead(rig))
    writing = false
    await writer
    await database.sql(`insert into ${table.name} values ('end', 0, 0)`)
    await rig.until(() => rig.of(table.topic).some((record) => record.key === '{"a":"end","b":0}'))
    const rows = await database.sql(`select a, b, v from ${table.name} order by a, b`)
    const seen = [...rig.table(table.topic).values()].sort((x, y) => (x.a < y.a ? -1 : x.a > y.a ? 1 : x.b - y.b))
    expect(seen).toEqual(rows.sort((x, y) => (x.a < y.a ? -1 : x.a > y.a ? 1 : x.b - y.b)))
  })

  it('does not take back what was committed but is not visible yet', async () => {
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} select i, 0 from generate_series(1, 9000) i`)
    // A commit that waits for a standby is in the log, and so in the stream, before others see it.
    const writer = database.client
    const probe = new pg.Client({ connectionString: database.url })
    await probe.connect()
    const rig = database.newRig()
    try {
      await database.sql(`alter system set synchronous_standby_names = 'nobody'`)
      await rig.open(table.source({ chunkRows: 1000 }))
      await database.reconnect()
      await database.sql('select pg_reload_conf()')
      const waits = async () =>
        (await database.sql(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)).length
      // The setting reaches the server's processes one by one: a probe tells when commits begin to wait.
      let isProbing = false
      await until(async () => {
        if (!isProbing) {
          isProbing = true
          const probed = probe.query(`select pg_logical_emit_message(true, 'probe', '')`)
          probed.then(
            () => {
              isProbing = false
            },
            () => undefined
          )
        }
        return waits()
      })
      const waiting = writer.query(`update ${table.name} set v = 1 where id = 9000`)
      waiting.catch(() => undefined)
      await until(async () => (await waits()) === 2)
      await rig.until(() => rig.of(table.topic).some((record) => record.value?.op === 'u'))
      expect(rig.table(table.topic).size).toBeLessThan(9000)
      await rig.until(isRead(rig))
      expect(await database.sql(`select v from ${table.name} where id = 9000`)).toEqual([{ v: 0 }])
      expect(rig.table(table.topic).get('{"id":9000}')).toEqual({ id: 9000, v: 1 })
      expect(rig.table(table.topic).size).toBe(9000)
      await database.sql('alter system reset synchronous_standby_names')
      await database.sql('select pg_reload_conf()')
      await waiting
    } finally {
      await database.sql('alter system reset synchronous_standby_names')
      await database.sql('select pg_reload_conf()')
      await Promise.all([writer.end(), probe.end()])
    }
  })

  it('reads tables without a key once, also the rows that come meanwhile', async () => {
    const table = await database.newTable('v int')
    await database.sql(`alter table ${table.name} replica identity full`)
    await database.sql(`insert into ${table.name} select i from generate_series(1, 20000) i`)
    const rig = database.newRig()
    await rig.open(table.source())
    await database.sql(`insert into ${table.name} select i from generate_series(20001, 20100) i`)
    await rig.until(isRead(rig))
    await database.sql(`insert into ${table.name} values (0)`)
    await rig.until(() => rig.of(table.topic).some((record) => record.value.after.v === 0))
    const values = rig.of(table.topic).map((record) => Number(record.value.after.v))
    expect(values.sort((x, y) => x - y)).toEqual(Array.from({ length: 20101 }, (_, i) => i))
    expect(rig.of(table.topic)[0].key).toBeNull()
  })

  it('leaves out generated columns and others that are not published, as the stream does', async () => {
    const table = await database.newTable('id int primary key, a int, b int, c int generated always as (a * 2) stored')
    await database.sql(`insert into ${table.name} (id, a, b) values (1, 10, 20)`)
    await database.sql(`create publication pub_${table.name} for table ${table.name} (id, a) where (id < 100)`)
    await database.sql(`insert into ${table.name} (id, a, b) values (101, 1, 2)`)
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await database.sql(`insert into ${table.name} (id, a, b) values (102, 1, 2), (2, 30, 40)`)
    await rig.until(() => rig.of(table.topic).length === 2)
    expect(rig.of(table.topic).map((record) => record.value.after)).toEqual([
      { id: 1, a: 10 },
      { id: 2, a: 30 }
    ])
  })

  it('reads partitioned tables as one', async () => {
    const table = await database.newTable('id int, v text, primary key (id)', 'partition by range (id)')
    await database.sql(`create table ${table.name}_a partition of ${table.name} for values from (0) to (100)`)
    await database.sql(`create table ${table.name}_b partition of ${table.name} for values from (100) to (200)`)
    await database.sql(`insert into ${table.name} select i, 'x' from generate_series(0, 199) i`)
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    expect(rig.of(table.topic).length).toBe(200)
    await database.sql(`update ${table.name} set v = 'y' where id = 150`)
    await rig.until(() => rig.of(table.topic).length === 201)
    expect(rig.of(table.topic)[200].value.after).toEqual({ id: 150, v: 'y' })
  })

  it('snapshots again on a signal, beside the stream', async () => {
    await database.sql('create table signals (id varchar(42) primary key, type varchar(32), data varchar(2048))')
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} select i, 0 from generate_series(1, 300) i`)
    const rig = database.newRig()
    await rig.open(table.source({ snapshot: 'never', signalTable: 'public.signals' }))
    await database.sql(`insert into signals values ('1', 'execute-snapshot', $1)`, [
      JSON.stringify({
        'data-collections': [`public.${table.name}`],
        type: 'incremental',
        'additional-conditions': [{ 'data-collection': `public.${table.name}`, filter: 'id <= 100' }]
      })
    ])
    await rig.until(isRead(rig))
    expect(rig.of(table.topic).map((record) => record.value.source.snapshot)).toEqual(Array(100).fill('incremental'))
    expect(rig.of('app.public.signals')).toEqual([])
  })

  it('forgets what it need not know while it is paused, and goes on rightly', async () => {
    const table = await database.newTable('id int primary key, v int')
    await database.sql(`insert into ${table.name} select i, 0 from generate_series(1, 3000) i`)
    const rig = database.newRig()
    const source = table.source({ chunkRows: 100 })
    await rig.open(source)
    source.signal({ type: 'pause-snapshot' })
    await rig.until(() => rig.events.some(({ code }) => code === 'signal-pause-snapshot'))
    for (let id = 1; id <= 300; id++) await database.sql(`update ${table.name} set v = ${id} where id = ${id * 10}`)
    const unseen = () => {
      const position = rig.positions.get('stream')
      return position?.kind === 'stream' ? (position.unseen?.length ?? 0) : Number.POSITIVE_INFINITY
    }
    let probe = 0
    await rig.until(() => rig.of(table.topic).some(({ value }) => value.after.v === 300))
    while (unseen() > 20) {
      await database.sql(`update ${table.name} set v = ${--probe} where id = 1`)
      await rig.until(() => rig.table(table.topic).get('{"id":1}')?.v === probe)
    }
    source.signal({ type: 'resume-snapshot' })
    await database.sql(`update ${table.name} set v = 1 where id = 1`)
    await rig.until(isRead(rig))
    const rows = await database.sql(`select id, v from ${table.name} order by id`)
    expect([...rig.table(table.topic).values()].sort((x, y) => x.id - y.id)).toEqual(rows)
  })

  it('adds tables that are made later', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source({ tables: [table.name, 'later_*'], checkIntervalMs: 50 }))
    await rig.until(isRead(rig))
    await database.sql('create table later_one (id int primary key)')
    await database.sql('insert into later_one values (1)')
    await rig.until(() => rig.table('app.public.later_one').size === 1)
    await database.sql('insert into later_one values (2)')
    await rig.until(() => rig.table('app.public.later_one').size === 2)
  })
})
