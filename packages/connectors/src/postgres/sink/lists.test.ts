import { memoryEnvironment } from '@millrace/log'
import fc from 'fast-check'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serdeRows } from '../../rows/serde-rows.ts'
import type { SinkContext, TransactionalSink } from '../../sink.ts'
import { TargetRefusedError } from '../../sql/errors.ts'
import { missingPostgres, type PostgresServer, startPostgres } from '../../testing/embedded-postgres/index.ts'
import { postgresSink } from './postgres-sink.ts'

const context: SinkContext = {
  signal: new AbortController().signal,
  environment: memoryEnvironment(),
  report: () => undefined
}
const columns = `id int PRIMARY KEY, t text, c varchar(8), p char(8), n numeric(12,3), d double precision, f boolean, b bytea, j jsonb, at timestamptz,
  took interval, day date, bits bit varying(4), mood mood, span int4range`

/** Rows by number: what is to be written is not bytes here. */
const written: unknown[] = []
const numbers = { name: 'number', encode: () => Buffer.of(), decode: (bytes: Uint8Array) => Number(Buffer.from(bytes)) }
const rows = serdeRows<number, number>({
  key: numbers,
  value: numbers,
  keyRow: (id) => ({ id }),
  row: (id) => Object(written[id])
})

const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((any) => any.replaceAll('\0', '')),
  fc.constantFrom('', 'NULL', 'null', '{}', '"', '\\', '\\"', ' a ', 'a,b', '\n', 'é😀', '{"a":1}')
)
const row = fc.record(
  {
    t: fc.oneof(text, fc.integer(), fc.double(), fc.boolean(), fc.constant({ a: ['"', null] })),
    c: fc.oneof(fc.stringMatching(/^[a-z"\\{},]{0,8}$/), fc.constant(null)),
    p: fc.stringMatching(/^[a-z "\\]{0,8}$/),
    n: fc.oneof(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.bigInt(-(10n ** 8n), 10n ** 8n),
      fc.constant('1.0005')
    ),
    d: fc.double(),
    f: fc.oneof(fc.boolean(), fc.constantFrom('yes', 'f', 1, 0)),
    b: fc.uint8Array(),
    j: fc.jsonValue().filter((value) => value !== null && !JSON.stringify(value).includes('\\u0000')),
    at: fc.oneof(
      fc.date({ noInvalidDate: true, min: new Date(0) }),
      fc.constantFrom('infinity', '2024-02-29T12:00:00.123456Z', 1_709_210_096_123_456)
    ),
    took: fc.constantFrom('P1DT2H', '1 mon -2 days'),
    day: fc.integer({ min: -700_000, max: 2_000_000 }),
    bits: fc.constantFrom('', '1', '0101'),
    mood: fc.constantFrom('sad', 'very "happy"', null),
    span: fc.constantFrom('[1,5)', 'empty')
  },
  { requiredKeys: [] }
)

describe.skipIf(missingPostgres() !== undefined)('rows as an array for each column', () => {
  let server: PostgresServer
  let client: pg.Client
  let sink: TransactionalSink
  let offset = 0
  beforeAll(async () => {
    server = await startPostgres()
    const connection = await server.createDatabase()
    client = new pg.Client(connection)
    await client.connect()
    await client.query(`CREATE TYPE mood AS ENUM ('sad', 'very "happy"'); CREATE TABLE lists (${columns})`)
    // No array holds arrays of different lengths: this column has all of its table's rows written as JSON.
    await client.query(`CREATE TABLE json (${columns}, forces_json int[])`)
    sink = postgresSink({ name: 'both', driver: pg, connection, rows, table: ({ topic }) => topic })
    await sink.open(
      ['lists', 'json'].map((topic) => ({ topic, partition: 0 })),
      context
    )
  })
  afterAll(async () => {
    await sink.close()
    await client.end()
    await server.stop()
  })

  async function write(topic: string, given: readonly object[]): Promise<void> {
    written.splice(0, written.length, ...given)
    const batch = given.map((_, id) => {
      const bytes = Buffer.from(String(id))
      return { topic, partition: 0, offset: offset++, key: bytes, value: bytes, timestamp: 0, headers: [] }
    })
    await sink.write(batch, [{ topic, partition: 0, offset }])
  }

  it('leave what they leave as JSON', async () => {
    const all = async (table: string) =>
      (
        await client.query(
          `SELECT ${table}::text AS whole FROM (SELECT ${names} FROM ${table} ORDER BY id) AS ${table}`
        )
      ).rows
    const names = columns
      .replace(/ PRIMARY KEY/, '')
      .split(', ')
      .map((column) => column.trim().split(' ')[0])
      .join(', ')
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 20 }), async (given) => {
        await client.query('TRUNCATE lists, json')
        await write('lists', given)
        await write(
          'json',
          given.map((one) => ({ ...one, forces_json: [1] }))
        )
        expect(await all('lists')).toEqual(await all('json'))
      }),
      { numRuns: 60 }
    )
  })

  it.each([
    ['a text that is too long', { c: 'nine chars' }],
    ['a NUL', { t: 'a\0b' }],
    ['half a character', { t: 'a\ud800b' }],
    ['bits that are too many', { bits: '01010' }],
    ['no number', { n: 'x' }]
  ])('are refused for %s, as JSON is', async (_, bad) => {
    await expect(write('lists', [{ t: 'good' }, bad])).rejects.toThrow(TargetRefusedError)
    await expect(write('json', [{ t: 'good' }, { ...bad, forces_json: [1] }])).rejects.toThrow(TargetRefusedError)
  })
})
