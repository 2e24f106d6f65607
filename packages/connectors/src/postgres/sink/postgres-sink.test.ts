import { memoryEnvironment } from '@millrace/log'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SinkFencedError, SinkSetupError, TransientSinkError } from '../../errors.ts'
import { debeziumRows } from '../../rows/debezium-rows.ts'
import { jsonRows } from '../../rows/json-rows.ts'
import type { SinkContext, SinkRecord } from '../../sink.ts'
import { TargetAccessError, TargetRefusedError } from '../../sql/errors.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../../testing/embedded-postgres/index.ts'
import type { PostgresClient, PostgresClientSettings, PostgresQuery } from '../driver.ts'
import { type PostgresSinkOptions, postgresSink } from './postgres-sink.ts'

const partition = { topic: 'shop.public.orders', partition: 0 }
const context: SinkContext = {
  signal: new AbortController().signal,
  environment: memoryEnvironment(),
  report: () => undefined
}
function record(offset: number, key: unknown, value: unknown): SinkRecord {
  const bytes = (part: unknown) =>
    part === null ? null : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
  return { ...partition, offset, key: bytes(key), value: bytes(value), timestamp: 0, headers: [] }
}
const at = (offset: number) => [{ ...partition, offset }]

describe.skipIf(missingPostgres() !== undefined)('the PostgreSQL sink', () => {
  let server: PostgresServer
  let connection: string
  let client: pg.Client
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    connection = await server.createDatabase()
    client = new pg.Client(connection)
    client.on('error', () => undefined)
    await client.connect()
    return () => client.end()
  })

  const sink = (options: Partial<PostgresSinkOptions> = {}) =>
    postgresSink({ name: 'orders', driver: pg, connection, rows: jsonRows(), ...options })
  const query = async (sql: string) => (await client.query(sql)).rows

  it('keeps the id of the topic beside the offset, also in a table of before, whose offsets it keeps', async () => {
    const offsets = () => query('SELECT next_offset::int, epoch::int, topic_id FROM millrace_sink_offsets')
    await query(`CREATE TABLE millrace_sink_offsets ("sink" text NOT NULL, "topic" text NOT NULL, "partition" integer NOT NULL,
      "next_offset" bigint, "epoch" bigint NOT NULL, PRIMARY KEY ("sink", "topic", "partition"))`)
    await query(
      `INSERT INTO millrace_sink_offsets VALUES ('orders', '${partition.topic}', ${partition.partition}, 7, 3)`
    )
    const upgraded = sink()
    const stored = [{ ...partition, offset: 7, topicId: 'one' }]
    expect(await upgraded.open([{ ...partition, topicId: 'one' }], context)).toEqual(stored)
    await upgraded.close()
    expect(await offsets()).toEqual([{ next_offset: 7, epoch: 4, topic_id: 'one' }])
    const other = sink()
    expect(await other.open([{ ...partition, topicId: 'two' }], context)).toEqual(stored)
    expect(await offsets()).toEqual([{ next_offset: 7, epoch: 5, topic_id: 'one' }])
    await other.write([], at(2))
    expect(await offsets()).toEqual([{ next_offset: 2, epoch: 5, topic_id: 'two' }])
    await other.close()
  })

  it('upserts and deletes by key, and goes on from the offsets in the target', async () => {
    await query(`CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(10,2), note text DEFAULT 'none')`)
    const first = sink()
    expect(await first.open([partition], context)).toEqual([])
    await first.write([record(0, { id: 1 }, { total: 1.5 }), record(1, { id: 2 }, { total: '2' })], at(2))
    await first.write([record(2, { id: 1 }, { total: 3 }), record(3, { id: 2 }, null)], at(4))
    await first.close()
    expect(await query('SELECT * FROM orders')).toEqual([{ id: '1', total: '3.00', note: 'none' }])
    const second = sink()
    expect(await second.open([partition], context)).toEqual(at(4))
    await second.close()
  })

  it('refuses a zombie, which writes nothing', async () => {
    const zombie = sink({ createTables: true })
    const owner = sink({ createTables: true })
    await zombie.open([partition], context)
    await zombie.write([record(0, { id: 1 }, { n: 1 })], at(1))
    await owner.open([partition], context)
    await expect(zombie.write([record(1, { id: 1 }, { n: 2 })], at(2))).rejects.toThrow(SinkFencedError)
    await owner.write([record(1, { id: 1 }, { n: 3 })], at(2))
    expect(await query('SELECT * FROM orders')).toEqual([{ id: '1', n: '3' }])
    await Promise.all([zombie.close(), owner.close()])
  })

  it('does not write again what a commit wrote whose answer was lost', async () => {
    await query('CREATE TABLE orders (id int PRIMARY KEY)')
    let cut = false
    class Cut implements PostgresClient {
      readonly #client: pg.Client
      constructor(settings: PostgresClientSettings) {
        this.#client = new pg.Client(settings)
      }
      async query(query: PostgresQuery) {
        const result = await this.#client.query({ ...query })
        if (!cut || query.text !== 'COMMIT') return result
        cut = false
        throw new pg.DatabaseError('Connection terminated unexpectedly', 0, 'error')
      }
      connect = () => this.#client.connect()
      end = () => this.#client.end()
      on = (event: 'error', listener: (error: Error) => void) => this.#client.on(event, listener)
    }
    const running = sink({ driver: { Client: Cut }, mode: 'insert' })
    await running.open([partition], context)
    cut = true
    await expect(running.write([record(0, { id: 1 }, {})], at(1))).rejects.toThrow(TransientSinkError)
    await running.write([record(0, { id: 1 }, {})], at(1))
    await running.write([record(1, { id: 2 }, {})], at(2))
    expect(await query('SELECT * FROM orders ORDER BY 1')).toEqual([{ id: 1 }, { id: 2 }])
    await running.close()
  })

  it('goes on after the server crashed', async () => {
    await query('CREATE TABLE orders (id int PRIMARY KEY, n int)')
    const running = sink()
    await running.open([partition], context)
    await running.write([record(0, { id: 1 }, { n: 1 })], at(1))
    // An immediate shutdown: unlike after SIGKILL of the postmaster, no backend lives on for a moment.
    await server.kill('SIGQUIT')
    await expect(running.write([record(1, { id: 1 }, { n: 2 })], at(2))).rejects.toThrow(TransientSinkError)
    await server.start()
    await running.write([record(1, { id: 1 }, { n: 2 })], at(2))
    await running.close()
    client = new pg.Client(connection)
    await client.connect()
    expect(await query('SELECT * FROM orders')).toEqual([{ id: 1, n: 2 }])
  })

  it('writes every type from what change data capture gives', async () => {
    await query(`CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE pair AS (a int, b text)`)
    await query(`CREATE TABLE orders (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, flag bool, small smallint, price numeric, ratio double precision, name varchar(10), bits bit(3),
      blob bytea, uid uuid, day date, days date, at timestamptz, local timestamp, millis timestamp(3), micros timestamp, clock time, took interval,
      doc jsonb, text_doc json, feeling mood, tags text[], grid int[][], span int4range, ip inet, two pair, twice bigint GENERATED ALWAYS AS (id * 2) STORED)`)
    const after =
      '{"id":9007199254740993,"flag":true,"small":-3,"price":"12345678901234567890.123456789","ratio":1e300,"name":"été","bits":"101",' +
      '"blob":"AP8=","uid":"b3f0c4a8-8a35-4a6e-9a35-6c0d0a7f1e11","day":"2024-02-29","days":-719162,"at":"2024-02-29T12:00:00.123456Z","local":"infinity",' +
      '"millis":-1,"micros":-1,"clock":"23:59:59.999999","took":"1 mon -2 days","doc":"{\\"a\\":[1,null]}","text_doc":"[1, 2]","feeling":"happy",' +
      '"tags":["a\\"b",null,"{c}"],"grid":[[1,2],[3,4]],"span":"[1,5)","ip":"10.0.0.1/8","two":"(1,x)","twice":4}'
    const running = sink({ rows: debeziumRows() })
    await running.open([partition], context)
    const value = `{"op":"c","before":null,"after":${after}}`
    await running.write([record(0, '{"id":9007199254740993}', value)], at(1))
    await running.close()
    const [row] =
      await query(`SELECT id::text, flag, small, price::text, ratio, name, bits::text, encode(blob, 'hex') AS blob, uid, day::text, days::text,
      (at AT TIME ZONE 'UTC')::text AS at, local::text, millis::text, micros::text, clock::text, took::text, doc, text_doc::text, feeling, tags, grid,
      span::text, ip::text, two::text, twice::text FROM orders`)
    expect(row).toEqual({
      id: '9007199254740993',
      flag: true,
      small: -3,
      price: '12345678901234567890.123456789',
      ratio: 1e300,
      name: 'été',
      bits: '101',
      blob: '00ff',
      uid: 'b3f0c4a8-8a35-4a6e-9a35-6c0d0a7f1e11',
      day: '2024-02-29',
      days: '0001-01-01',
      at: '2024-02-29 12:00:00.123456',
      local: 'infinity',
      millis: '1969-12-31 23:59:59.999',
      micros: '1969-12-31 23:59:59.999999',
      clock: '23:59:59.999999',
      took: '1 mon -2 days',
      doc: { a: [1, null] },
      text_doc: '[1, 2]',
      feeling: 'happy',
      tags: ['a"b', null, '{c}'],
      grid: [
        [1, 2],
        [3, 4]
      ],
      span: '[1,5)',
      ip: '10.0.0.1/8',
      two: '(1,x)',
      twice: '18014398509481986'
    })
  })

  it('creates tables and adds columns when it may, once there is a value to tell the type', async () => {
    const running = sink({ createTables: true, evolveTables: true, columnTypes: { at: 'timestamptz' } })
    await running.open([partition], context)
    await running.write([record(0, { id: 'a', part: 1 }, { n: 1.5, later: null, at: null, tags: ['x'] })], at(1))
    await running.write(
      [record(1, { part: 1, id: 'a' }, { later: true }), record(2, { id: 'b', part: 1 }, { n: 2 })],
      at(3)
    )
    await running.close()
    expect(await query('SELECT * FROM orders ORDER BY id')).toEqual([
      { id: 'a', part: '1', n: '1.5', at: null, tags: ['x'], later: true },
      { id: 'b', part: '1', n: '2', at: null, tags: null, later: null }
    ])
  })

  it('inserts into a table without a key, and removes one of its equal rows', async () => {
    await query('CREATE TABLE orders (n int, doc json)')
    const running = sink({ rows: debeziumRows() })
    await running.open([partition], context)
    const event = (op: string, before: unknown, after: unknown) => ({ op, before, after })
    const row = { n: 1, doc: '{"a": 1}' }
    await running.write([record(0, null, event('c', null, row)), record(1, null, event('c', null, row))], at(2))
    await running.write([record(2, null, event('d', row, null))], at(3))
    expect(await query('SELECT n FROM orders')).toEqual([{ n: 1 }])
    await running.write([record(3, null, event('t', null, null))], at(4))
    expect(await query('SELECT n FROM orders')).toEqual([])
    await running.close()
  })

  it('updates only what is there in mode update', async () => {
    await query('CREATE TABLE orders (id int PRIMARY KEY, n int, m int); INSERT INTO orders VALUES (1, 1, 1)')
    const running = sink({ mode: 'update' })
    await running.open([partition], context)
    await running.write([record(0, { id: 1 }, { n: 2 }), record(1, { id: 2 }, { n: 2 })], at(2))
    expect(await query('SELECT * FROM orders')).toEqual([{ id: 1, n: 2, m: 1 }])
    await running.close()
  })

  it('says what to do when the target is not as it should be', async () => {
    const running = sink()
    await running.open([partition], context)
    const write = () => running.write([record(0, { id: 1 }, { n: 1 })], at(1))
    await expect(write()).rejects.toThrow(
      /CREATE TABLE IF NOT EXISTS "orders" \("id" bigint, "n" numeric, PRIMARY KEY \("id"\)\)/
    )
    await query('CREATE TABLE orders (id int)')
    await expect(write()).rejects.toThrow(/ALTER TABLE "orders" ADD COLUMN "n" numeric/)
    await query('ALTER TABLE orders ADD COLUMN n int')
    await running.close()
    await running.open([partition], context)
    await expect(write()).rejects.toThrow(/ALTER TABLE "orders" ADD PRIMARY KEY \("id"\)/)
    await expect(write()).rejects.toThrow(SinkSetupError)
    await query('ALTER TABLE orders ADD PRIMARY KEY (id)')
    await running.close()
    await running.open([partition], context)
    await write()
    await expect(running.write([record(1, { id: 2 }, { n: 'x' })], at(2))).rejects.toThrow(TargetRefusedError)
    await running.write([record(1, { id: 2 }, { n: 2 })], at(2))
    expect(await query('SELECT * FROM orders ORDER BY id')).toEqual([
      { id: 1, n: 1 },
      { id: 2, n: 2 }
    ])
    await running.close()
  })

  it('needs no right to create tables where they are there', async () => {
    const owner = sink({ createTables: true })
    await owner.open([partition], context)
    await owner.write([record(0, { id: 1 }, { total: 1 })], at(1))
    await owner.close()
    await query(`DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
      GRANT SELECT, INSERT, UPDATE ON orders, millrace_sink_offsets TO writer`)
    const writer = sink({ connection: connection.replace(/\/\/[^@]*@/, '//writer@') })
    expect(await writer.open([partition], context)).toEqual(at(1))
    await writer.write([record(1, { id: 1 }, { total: 2 })], at(2))
    await writer.close()
    expect(await query('SELECT * FROM orders')).toEqual([{ id: '1', total: '2' }])
    await query('DROP OWNED BY writer; DROP ROLE writer')
  })

  it('tells a refused user from a server that is away', async () => {
    await query(
      `CREATE ROLE nobody LOGIN; CREATE TABLE orders (id int PRIMARY KEY); GRANT ALL ON SCHEMA public TO nobody`
    )
    const poor = sink({ connection: connection.replace('postgres@', 'nobody@') })
    await poor.open([partition], context)
    await expect(poor.write([record(0, { id: 1 }, {})], at(1))).rejects.toThrow(TargetAccessError)
    await poor.close()
    const lost = sink({ connection: connection.replace(/\w+$/, 'missing') })
    await expect(lost.open([partition], context)).rejects.toThrow(/create the database/)
    const away = sink({ connection: 'postgres://postgres@127.0.0.1:1/postgres' })
    await expect(away.open([partition], context)).rejects.toThrow(TransientSinkError)
  })
})
