import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { TransientSourceError } from '../../errors.ts'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { STREAM_SPLIT } from './position.ts'
import { parseLsn } from './replication/lsn.ts'
import { isRead, TestDatabase, until } from './testing/database.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`the stream ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start({ settings: { logical_decoding_work_mem: '64kB' } })
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  it.each([
    ['early, as the server streams it', true],
    ['at its commit', false]
  ])('delivers a large transaction once, although killed inside it: %s', async (_, streamLargeTransactions) => {
    const table = await database.newTable('id int primary key, v text')
    const options = { streamLargeTransactions, spillAboveBytes: 100_000, spillDirectory: '/tmp', batchRecords: 1000 }
    const rig = database.newRig()
    await rig.open(table.source(options))
    await rig.until(isRead(rig))
    const other = new pg.Client({ connectionString: database.url })
    await other.connect()
    await database.sql('begin')
    await database.sql(`insert into ${table.name} select i, 'early' || i from generate_series(1, 4000) i`)
    await other.query(`insert into ${table.name} values (-1, 'between')`)
    await database.sql('savepoint s')
    await database.sql(`insert into ${table.name} select i, 'undone' from generate_series(4001, 6000) i`)
    await database.sql('rollback to savepoint s')
    await database.sql(`insert into ${table.name} select i, 'late' || i from generate_series(4001, 7000) i`)
    await rig.until(() => rig.table(table.topic).has('{"id":-1}'))
    expect(rig.of(table.topic).length).toBe(1)
    await database.sql('commit')
    await rig.until(() => rig.of(table.topic).length > 2500)
    await rig.read()
    await rig.crash()
    expect(rig.of(table.topic).length).toBeLessThan(7000)
    await rig.open(table.source(options))
    await rig.until(() => rig.of(table.topic).length >= 7001)
    await other.query(`insert into ${table.name} values (-2, 'end')`)
    await rig.until(() => rig.table(table.topic).has('{"id":-2}'))
    await other.end()
    expect(rig.of(table.topic).map((record) => record.value.after.id)).toEqual([
      -1,
      ...Array.from({ length: 7000 }, (_, i) => i + 1),
      -2
    ])
    expect(rig.of(table.topic)[4001].value.after.v).toBe('late4001')
    expect(Math.max(...rig.batchSizes)).toBeLessThanOrEqual(1000)
  })

  it('forgets an early transaction that is rolled back', async () => {
    const table = await database.newTable('id int primary key, v text')
    const rig = database.newRig()
    await rig.open(table.source({ spillAboveBytes: 1000 }))
    await rig.until(isRead(rig))
    await database.sql('begin')
    await database.sql(`insert into ${table.name} select i, 'undone' from generate_series(1, 3000) i`)
    await database.sql('rollback')
    await database.sql(`insert into ${table.name} values (1, 'kept')`)
    await rig.until(() => rig.of(table.topic).length > 0)
    expect(rig.of(table.topic).map((record) => record.value.after)).toEqual([{ id: 1, v: 'kept' }])
  })

  it('fills values out of line that an update leaves out, also after a restart and before the row was read', async () => {
    const table = await database.newTable('id int primary key, n int, big text, wide jsonb')
    await database.sql(`alter table ${table.name} alter big set storage external`)
    const big = 'x'.repeat(10_000)
    const wide = Array.from({ length: 3000 }, (_, i) => i)
    await database.sql(
      `insert into ${table.name} select i, 0, $1, $2 from generate_series(1, 6000) i where i in (1, 6000)`,
      [big, JSON.stringify(wide)]
    )
    await database.sql(`insert into ${table.name} select i, 0 from generate_series(2, 5999) i`)
    const rig = database.newRig()
    await rig.open(table.source())
    // Updated before its chunk is read (only two chunks are read ahead).
    await database.sql(`update ${table.name} set n = 1 where id = 6000`)
    await rig.until(isRead(rig))
    await rig.crash()
    await rig.open(table.source())
    await database.sql(`update ${table.name} set n = 2 where id in (1, 6000)`)
    await database.sql(`update ${table.name} set id = -1 where id = 1`)
    await rig.until(() => rig.table(table.topic).has('{"id":-1}'))
    const rows = rig.table(table.topic)
    expect(rig.of(table.topic).filter((record) => JSON.stringify(record.value)?.includes('unavailable'))).toEqual([])
    for (const [id, n] of [
      [-1, 2],
      [6000, 2]
    ]) {
      const row = rows.get(`{"id":${id}}`)
      expect([row.n, row.big.length, JSON.parse(row.wide).length]).toEqual([n, 10_000, 3000])
    }
    expect(rig.state.size).toBe(2)
    await database.sql(`delete from ${table.name} where id = 6000`)
    await rig.until(() => !rig.table(table.topic).has('{"id":6000}'))
    expect(rig.state.size).toBe(1)
  })

  it('says so when such a value is known nowhere, and takes it from the old row under REPLICA IDENTITY FULL', async () => {
    const table = await database.newTable('id int primary key, n int, big text')
    await database.sql(`alter table ${table.name} alter big set storage external`)
    await database.sql(`insert into ${table.name} values (1, 0, repeat('y', 10000))`)
    const rig = database.newRig()
    await rig.open(table.source({ snapshot: 'never' }))
    await database.sql(`update ${table.name} set n = 1`)
    await rig.until(() => rig.of(table.topic).length === 1)
    expect(rig.of(table.topic)[0].value.after.big).toBe('__debezium_unavailable_value')
    expect(rig.events.map((event) => event.code)).toContain('unchanged-value-unknown')
    await database.sql(`alter table ${table.name} replica identity full`)
    await database.sql(`update ${table.name} set n = 2`)
    await rig.until(() => rig.of(table.topic).length === 2)
    expect(rig.of(table.topic)[1].value.after.big).toHaveLength(10_000)
    expect(rig.of(table.topic)[1].value.before).toMatchObject({ id: 1, n: 1 })
  })

  it('follows a table whose shape changes', async () => {
    const table = await database.newTable('id int primary key, a int, b text')
    const rig = database.newRig()
    await rig.open(table.source({ tables: [`${table.name}*`] }))
    await rig.until(isRead(rig))
    const t = table.name
    await database.sql(`insert into ${t} values (1, 1, 'x')`)
    await database.sql(
      `begin; alter table ${t} add c timestamptz default '2024-01-01 00:00:00+00'; insert into ${t} values (2, 2, 'y'); commit`
    )
    await database.sql(`alter table ${t} drop b`)
    await database.sql(`insert into ${t} (id, a) values (3, 3)`)
    await database.sql(`alter table ${t} alter a type numeric using a / 2.0`)
    await database.sql(`alter table ${t} rename c to at`)
    await database.sql(`insert into ${t} (id, a) values (4, 4.5)`)
    await database.sql(`alter table ${t} drop constraint ${t}_pkey, add primary key (id, a)`)
    await database.sql(`update ${t} set a = 5.5 where id = 4`)
    await database.sql(`alter table ${t} rename to ${t}_new`)
    await database.sql(`insert into ${t}_new (id, a) values (6, 6)`)
    await rig.until(() => rig.of(`app.public.${t}_new`).length === 1)
    const at = '2024-01-01T00:00:00Z'
    const seen = [...rig.of(table.topic), ...rig.of(`app.public.${t}_new`)].filter((record) => record.value?.after)
    expect(seen.map((record) => [record.key, record.value.after])).toEqual([
      ['{"id":1}', { id: 1, a: 1, b: 'x' }],
      ['{"id":2}', { id: 2, a: 2, b: 'y', c: at }],
      ['{"id":3}', { id: 3, a: 3, c: at }],
      ['{"id":4}', { id: 4, a: '4.5', at }],
      ['{"id":4,"a":"5.5"}', { id: 4, a: '5.5', at }],
      ['{"id":6,"a":"6"}', { id: 6, a: '6', at }]
    ])
    expect(rig.events.filter((event) => event.code === 'schema-changed').length).toBeGreaterThanOrEqual(4)
  })

  it('lets the server forget its log while the table is idle, and never acknowledges what is not committed', async () => {
    const table = await database.newTable('id int primary key')
    const noise = await database.newTable('v text')
    const confirmed = async () =>
      (
        await database.sql(
          `select pg_wal_lsn_diff(confirmed_flush_lsn, '0/0')::float8 l, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::float8 behind
           from pg_replication_slots where slot_name = $1`,
          [table.slot]
        )
      )[0]
    const rig = database.newRig()
    await rig.open(table.source({ idlePositionMs: 20 }))
    await rig.until(isRead(rig))
    const begin = await confirmed()
    await database.sql(`insert into ${noise.name} select repeat('x', 1000) from generate_series(1, 5000) i`)
    expect((await confirmed()).behind).toBeGreaterThan(5_000_000)
    let now = await confirmed()
    await rig.until(() => {
      void confirmed().then((found) => {
        now = found
      })
      return now.l > begin.l + 5_000_000
    })
    await database.sql(`insert into ${table.name} values (1)`)
    let batch = await rig.read()
    while (batch?.records.length === 0) {
      await rig.commit(batch)
      batch = await rig.read()
    }
    expect(batch?.records.length).toBe(1)
    // What is committed may be acknowledged a little later; this batch, never.
    const position = batch?.positions.get(STREAM_SPLIT)
    const end = position?.kind === 'stream' ? parseLsn(position.lsn) : 0
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await confirmed()).l).toBeLessThan(end)
    if (batch) await rig.commit(batch)
    await until(async () => (await confirmed()).l >= end)
  })

  it('fails to be tried again when its connection is cut, and loses and repeats nothing', async () => {
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await database.sql(`select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1`, [
      table.slot
    ])
    await expect(rig.until(() => false)).rejects.toThrow(TransientSourceError)
    await database.sql(`insert into ${table.name} values (1)`)
    await rig.crash()
    await rig.open(table.source())
    await rig.until(() => rig.of(table.topic).length === 1)
  })

  it('goes on after the server was killed', async () => {
    const table = await database.newTable('id int primary key')
    await database.sql(`insert into ${table.name} select generate_series(1, 20000)`)
    const rig = database.newRig()
    const options = { chunkRows: 500, chunkBytes: 10_000 }
    await rig.open(table.source(options))
    await rig.until(() => rig.of(table.topic).length >= 2000)
    await database.server.kill('SIGKILL')
    await expect(rig.until(() => false)).rejects.toThrow(TransientSourceError)
    await rig.crash()
    await expect(rig.open(table.source(options))).rejects.toThrow(TransientSourceError)
    await database.server.start()
    await database.reconnect()
    await rig.open(table.source(options))
    await database.sql(`insert into ${table.name} values (0)`)
    await rig.until(isRead(rig))
    await rig.until(() => rig.table(table.topic).size === 20_001)
    expect(rig.of(table.topic).length).toBe(20_001)
  })

  it('tells of transactions, messages and truncates when asked, and routes an outbox', async () => {
    const outbox = await database.newTable(
      'id uuid primary key, aggregatetype text, aggregateid text, payload jsonb, kind text'
    )
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(
      table.source({
        transactionMetadata: true,
        outbox: { table: `public.${outbox.name}`, columns: { headers: ['kind'] } },
        heartbeatIntervalMs: 20
      })
    )
    await rig.until(isRead(rig))
    const id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
    await database.sql('begin')
    await database.sql(`insert into ${table.name} values (1), (2)`)
    await database.sql(`insert into ${outbox.name} values ('${id}', 'order', '7', '{"n": 1}', 'placed')`)
    await database.sql(`delete from ${outbox.name}`)
    await database.sql(`select pg_logical_emit_message(true, 'note', 'hello')`)
    await database.sql('commit')
    await rig.until(() => rig.of('app.transaction').some((record) => record.value.event_count === 2))
    const end = rig.of('app.transaction').find((record) => record.value.event_count === 2)?.value
    expect(end).toMatchObject({
      status: 'END',
      data_collections: [{ data_collection: `public.${table.name}`, event_count: 2 }]
    })
    expect(rig.of(table.topic).map((record) => record.value.transaction)).toEqual([
      { id: end?.id, total_order: 1, data_collection_order: 1 },
      { id: end?.id, total_order: 2, data_collection_order: 2 }
    ])
    expect(rig.of('app.message').map((record) => [record.key, record.value.op, record.value.message])).toEqual([
      ['{"prefix":"note"}', 'm', { prefix: 'note', content: Buffer.from('hello').toString('base64') }]
    ])
    expect(rig.of('outbox.event.order').map((record) => [record.key, record.value])).toEqual([['7', { n: 1 }]])
    expect(rig.of('outbox.event.order')[0].raw.headers?.map((header) => [header.key, String(header.value)])).toEqual([
      ['id', id],
      ['kind', 'placed']
    ])
    await rig.until(() => rig.of('__debezium-heartbeat.app').length > 0)
  })

  it('gives the events of an outbox times, partitions, headers and envelopes of its columns', async () => {
    const outbox =
      await database.newTable(`id int primary key, kind text, agg text, body text, data jsonb, at timestamptz,
      part int, tenant text, attempts int, amounts numeric(9,2)[]`)
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    const columns = {
      route: 'kind',
      key: 'agg',
      payload: 'body',
      timestamp: 'at',
      partition: 'part',
      headers: ['tenant', { column: 'attempts', as: 'tries' }],
      envelope: ['attempts', { column: 'amounts', as: 'sums' }, 'data']
    }
    const options = { table: `public.${outbox.name}`, columns, topic: (kind: string) => `events-${kind}` }
    await rig.open(table.source({ heartbeatIntervalMs: 20, outbox: { ...options, expandJsonPayload: true } }))
    await rig.until(isRead(rig))
    await database.sql(`insert into ${outbox.name} values
      (1, 'a', 'k', '{"n": 1}', '{"j": [1]}', '2026-01-02 03:04:05.678901+02', 2, 't', 3, '{1.50,NULL}'),
      (2, 'a', 'k', 'no "json"', null, null, null, null, null, null),
      (3, 'a', 'k', '', null, '-infinity', null, null, null, null)`)
    await database.sql(`update ${outbox.name} set attempts = 9`)
    await rig.until(() => rig.of('events-a').length === 3)
    const [first, second, third] = rig.of('events-a')
    expect(first.value).toEqual({ payload: { n: 1 }, attempts: 3, sums: ['1.50', null], data: '{"j": [1]}' })
    expect(first.raw).toMatchObject({ partition: 2, timestamp: Date.parse('2026-01-02T01:04:05.678Z') })
    expect(first.raw.headers?.map(({ key, value }) => [key, value === null ? null : String(value)])).toEqual([
      ['id', '1'],
      ['tenant', 't'],
      ['tries', '3']
    ])
    expect(second.value).toEqual({ payload: 'no "json"', attempts: null, sums: null, data: null })
    expect(second.raw.partition).toBeUndefined()
    expect(third.raw.value).toBeNull()
    for (const { raw } of [second, third]) expect(raw.timestamp).toBeGreaterThan(Date.parse('2026-01-03'))
    await rig.until(() => rig.events.some(({ code }) => code === 'outbox-updated'))
  })

  it('stops when an event of the outbox is updated, if it is told to', async () => {
    const outbox = await database.newTable('id int primary key, aggregatetype text, aggregateid text, payload jsonb')
    const table = await database.newTable('id int primary key')
    const rig = database.newRig()
    await rig.open(table.source({ outbox: { table: `public.${outbox.name}`, onUpdate: 'fail' } }))
    await rig.until(isRead(rig))
    await database.sql(`insert into ${outbox.name} values (1, 'order', '7', '{}')`)
    await rig.until(() => rig.of('outbox.event.order').length === 1)
    await database.sql(`update ${outbox.name} set payload = '[]'`)
    await expect(rig.until(() => false)).rejects.toMatchObject({ code: 'CONNECTORS_POSTGRES_OUTBOX_UPDATED' })
  })
})
