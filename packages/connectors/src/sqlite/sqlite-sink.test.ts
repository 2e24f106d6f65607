import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { memoryEnvironment } from '@millrace/log'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SinkFencedError, SinkSetupError, TransientSinkError } from '../errors.ts'
import { debeziumRows } from '../rows/debezium-rows.ts'
import { jsonRows } from '../rows/json-rows.ts'
import type { SinkContext, SinkRecord } from '../sink.ts'
import {
  TargetAccessError,
  TargetColumnMissingError,
  TargetKeyMissingError,
  TargetRefusedError,
  TargetTableMissingError
} from '../sql/errors.ts'
import { sinkErrorOf } from './errors.ts'
import { type SqliteSinkOptions, sqliteSink } from './sqlite-sink.ts'

let directory: string
let database: DatabaseSync
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-sqlite-'))
  database = new DatabaseSync(join(directory, 'target.db'))
})
afterEach(() => {
  database.close()
  rmSync(directory, { recursive: true })
})

const partition = { topic: 'shop.orders', partition: 0 }
const context: SinkContext = {
  signal: new AbortController().signal,
  environment: memoryEnvironment(),
  report: () => undefined
}
function sink(options: Partial<SqliteSinkOptions> = {}) {
  return sqliteSink({ name: 'orders', file: join(directory, 'target.db'), rows: jsonRows(), ...options })
}
function record(offset: number, key: unknown, value: unknown): SinkRecord {
  const bytes = (part: unknown) => (part === null ? null : Buffer.from(JSON.stringify(part)))
  return { ...partition, offset, key: bytes(key), value: bytes(value), timestamp: 0, headers: [] }
}
const at = (offset: number) => [{ ...partition, offset }]
const rows = (table = 'orders') =>
  database
    .prepare(`SELECT * FROM ${table} ORDER BY 1`)
    .all()
    .map((row) => ({ ...row }))

describe('the SQLite sink', () => {
  it('keeps the id of the topic beside the offset, also in a table of before, whose offsets it keeps', async () => {
    const offsets = () => rows('millrace_sink_offsets')
    const key = { sink: 'orders', ...partition }
    database.exec(`CREATE TABLE millrace_sink_offsets ("sink" text NOT NULL, "topic" text NOT NULL, "partition" integer NOT NULL,
      "next_offset" bigint, "epoch" bigint NOT NULL, PRIMARY KEY ("sink", "topic", "partition"));
      INSERT INTO millrace_sink_offsets VALUES ('orders', 'shop.orders', 0, 7, 3)`)
    const upgraded = sink()
    expect(await upgraded.open([{ ...partition, topicId: 'one' }], context)).toEqual([
      { ...partition, offset: 7, topicId: 'one' }
    ])
    await upgraded.close()
    expect(offsets()).toEqual([{ ...key, next_offset: 7, epoch: 4, topic_id: 'one' }])
    const other = sink()
    expect(await other.open([{ ...partition, topicId: 'two' }], context)).toEqual([
      { ...partition, offset: 7, topicId: 'one' }
    ])
    expect(offsets()).toMatchObject([{ next_offset: 7, topic_id: 'one' }])
    await other.write([], at(2))
    expect(offsets()).toMatchObject([{ next_offset: 2, topic_id: 'two' }])
    await other.write([], at(3))
    await other.close()
    const older = sink()
    expect(await older.open([partition], context)).toEqual([{ ...partition, offset: 3, topicId: 'two' }])
    await older.write([], at(4))
    expect(offsets()).toMatchObject([{ next_offset: 4, topic_id: 'two' }])
    await older.close()
  })

  it('upserts and deletes by key, and goes on from the offsets in the target', async () => {
    database.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY, total REAL, note TEXT DEFAULT 'none')")
    const first = sink()
    expect(await first.open([partition], context)).toEqual([])
    await first.write([record(0, { id: 1 }, { total: 1.5 }), record(1, { id: 2 }, { total: 2 })], at(2))
    await first.write([record(2, { id: 1 }, { total: 3 }), record(3, { id: 2 }, null)], at(4))
    await first.close()
    expect(rows()).toEqual([{ id: 1, total: 3, note: 'none' }])
    const second = sink()
    expect(await second.open([partition], context)).toEqual(at(4))
    await second.close()
  })

  it('writes any number of rows, in any mode', async () => {
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, n TEXT)')
    let offset = 0
    const write = async (options: Partial<SqliteSinkOptions>, count: number, n: number) => {
      const running = sink(options)
      await running.open([partition], context)
      const batch = Array.from({ length: count }, (_, id) => record(offset + id, { id: id + 1 }, { n }))
      offset += count
      await running.write(batch, at(offset))
      await running.close()
    }
    for (const count of [1, 31, 32, 33, 100]) {
      await write({}, count, count)
      expect(rows().slice(0, count)).toEqual(Array.from({ length: count }, (_, id) => ({ id: id + 1, n: `${count}` })))
    }
    await write({ mode: 'update' }, 120, 7)
    expect(rows().map(({ n }) => n)).toEqual(new Array(100).fill('7'))
    await expect(write({ mode: 'insert' }, 101, 8)).rejects.toThrow(TargetRefusedError)
    expect(rows()).toHaveLength(100)
  })

  it('refuses a zombie, which writes nothing', async () => {
    const zombie = sink({ createTables: true })
    await zombie.open([partition], context)
    await zombie.write([record(0, { id: 1 }, { n: 1 })], at(1))
    const owner = sink({ createTables: true })
    await owner.open([partition], context)
    await expect(zombie.write([record(1, { id: 1 }, { n: 2 })], at(2))).rejects.toThrow(SinkFencedError)
    await owner.write([record(1, { id: 1 }, { n: 3 })], at(2))
    expect(rows()).toEqual([{ id: 1, n: 3 }])
    await zombie.close()
    await owner.close()
  })

  it('moves offsets', async () => {
    const running = sink()
    await running.open([partition], context)
    await running.moveOffsets?.(at(7))
    await running.close()
    const next = sink()
    expect(await next.open([partition], context)).toEqual(at(7))
    await next.close()
  })

  it('creates tables and adds columns when it may, once there is a value to tell the type', async () => {
    const running = sink({ createTables: true, evolveTables: true, columnTypes: { at: 'INTEGER' } })
    await running.open([partition], context)
    await running.write([record(0, { id: 'a' }, { n: 1, at: null, later: null, tags: ['x'] })], at(1))
    await running.write([record(1, { id: 'b' }, { later: 'now', blob: true })], at(2))
    await running.close()
    expect(rows()).toEqual([
      { id: 'a', n: 1, at: null, tags: '["x"]', blob: null, later: null },
      { id: 'b', n: null, at: null, tags: null, blob: 1, later: 'now' }
    ])
  })

  it('says what to do when table, column or key are missing, and writes nothing', async () => {
    const running = sink()
    await running.open([partition], context)
    await expect(running.write([record(0, { id: 1 }, { n: 1 })], at(1))).rejects.toThrow(TargetTableMissingError)
    database.exec('CREATE TABLE orders (id INTEGER, n INTEGER)')
    await expect(running.write([record(0, { id: 1 }, { n: 1 })], at(1))).rejects.toThrow(TargetKeyMissingError)
    database.exec('CREATE UNIQUE INDEX orders_id ON orders (id)')
    await expect(running.write([record(0, { id: 1 }, { m: 1 })], at(1))).rejects.toThrow(TargetColumnMissingError)
    expect(rows()).toEqual([])
    await running.write([record(0, { id: 1 }, { n: 1 })], at(1))
    expect(rows()).toEqual([{ id: 1, n: 1 }])
    await running.close()
  })

  it('tells what would be refused again from what may succeed later', async () => {
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, n INTEGER NOT NULL)')
    const running = sink({ busyTimeoutMs: 1 })
    await running.open([partition], context)
    await expect(running.write([record(0, { id: 1 }, { n: null })], at(1))).rejects.toThrow(TargetRefusedError)
    database.exec('BEGIN IMMEDIATE')
    await expect(running.write([record(0, { id: 1 }, { n: 1 })], at(1))).rejects.toThrow(TransientSinkError)
    database.exec('ROLLBACK')
    await running.write([record(0, { id: 1 }, { n: 1 })], at(1))
    await running.close()
    expect(rows()).toEqual([{ id: 1, n: 1 }])
  })

  it('blames no record for what is wrong with the database', async () => {
    const file = join(directory, 'text.db')
    writeFileSync(
      file,
      'no database at all, but longer than its header of a hundred bytes would be, so that nobody takes it for an empty one'
    )
    await expect(sink({ file }).open([partition], context)).rejects.toThrow(TargetAccessError)
    const errors = [8, 11, 23].map((resultCode) => {
      return sinkErrorOf({ kind: 'failed', message: 'no', name: 'Error', resultCode }, 'a batch cannot be written')
    })
    for (const error of errors) expect(error).toBeInstanceOf(SinkSetupError)
  })

  it('waits for another writer without holding up the program, which may be that writer', async () => {
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, n INTEGER)')
    const running = sink({ busyTimeoutMs: 60_000 })
    await running.open([partition], context)
    database.exec('BEGIN IMMEDIATE; INSERT INTO orders VALUES (1, 1)')
    const writing = running.write([record(0, { id: 1 }, { n: 2 })], at(1))
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    database.exec('COMMIT')
    await writing
    await running.close()
    expect(rows()).toEqual([{ id: 1, n: 2 }])
  })

  it('keeps large integers and binary values as they are', async () => {
    database.exec('CREATE TABLE orders (id INTEGER PRIMARY KEY, code TEXT, picture BLOB)')
    const running = sink({ rows: debeziumRows() })
    await running.open([partition], context)
    const key = Buffer.from('{"id":9007199254740993}')
    const value = Buffer.from('{"op":"c","before":null,"after":{"id":9007199254740993,"code":1,"picture":"AP8="}}')
    await running.write([{ ...record(0, null, null), key, value }], at(1))
    await running.close()
    const statement = database.prepare('SELECT * FROM orders')
    statement.setReadBigInts(true)
    expect({ ...statement.get() }).toEqual({ id: 9007199254740993n, code: '1', picture: new Uint8Array([0, 255]) })
  })

  it('removes one of the equal rows of a table without a key', async () => {
    database.exec('CREATE TABLE orders (n INTEGER)')
    const running = sink({ rows: debeziumRows() })
    await running.open([partition], context)
    const event = (op: string, before: unknown, after: unknown) => ({ op, before, after })
    await running.write(
      [record(0, null, event('c', null, { n: 1 })), record(1, null, event('c', null, { n: 1 }))],
      at(2)
    )
    await running.write([record(2, null, event('d', { n: 1 }, null))], at(3))
    expect(rows()).toEqual([{ n: 1 }])
    await running.write([record(3, null, event('t', null, null))], at(4))
    expect(rows()).toEqual([])
    await running.close()
  })
})
