import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { isRead, TestDatabase } from './testing/database.ts'
import { TYPE_CASES, TYPES_SQL } from './testing/type-cases.ts'

const missing = missingPostgres()

describe.skipIf(missing)(`types ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
    await database.sql(TYPES_SQL)
    await database.sql(`alter database app set datestyle = 'German'; alter database app set timezone = 'America/New_York';
      alter database app set intervalstyle = 'sql_standard'; alter database app set bytea_output = 'escape'; alter database app set extra_float_digits = -3`)
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  it('has each value in the JSON without loss, the same from snapshot and stream, whatever the database’s settings', async () => {
    const columns = TYPE_CASES.map(([type], index) => `c${index} ${type}`).join(', ')
    const values = TYPE_CASES.map(([, sql]) => sql).join(', ')
    const table = await database.newTable(`id int primary key, ${columns}`)
    await database.sql(`insert into ${table.name} values (1, ${values})`)
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await database.sql(`insert into ${table.name} values (2, ${values})`)
    await rig.until(() => rig.of(table.topic).length === 2)
    const [read, streamed] = rig.of(table.topic).map((record) => afterOf(record.raw.value))
    const rows = splitColumns(read)
    const streamedRows = splitColumns(streamed)
    for (const [index, [type, sql, json]] of TYPE_CASES.entries()) {
      expect(`${type} ${sql}: ${rows.get(`c${index}`)}`).toBe(`${type} ${sql}: ${json}`)
      expect(`${type} ${sql}: ${streamedRows.get(`c${index}`)}`).toBe(`${type} ${sql}: ${json}`)
    }
  })

  it('keeps any text, key and array, through snapshot and stream', async () => {
    const table = await database.newTable('k text primary key, v text, a text[], f float8, n numeric')
    const text = fc.string({ unit: 'binary' }).map((value) => value.replaceAll('\0', ''))
    const row = fc.record({
      k: text,
      v: fc.option(text),
      a: fc.option(fc.array(fc.option(text))),
      f: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
      n: fc.option(fc.bigInt())
    })
    const rows = fc.sample(fc.uniqueArray(row, { selector: (one) => one.k, minLength: 120, maxLength: 120 }), 1)[0]
    const insert = async (some: typeof rows) => {
      for (const { k, v, a, f, n } of some) {
        await database.sql(`insert into ${table.name} values ($1, $2, $3, $4, $5)`, [
          k,
          v,
          a,
          f,
          n === null ? null : String(n)
        ])
      }
    }
    await insert(rows.slice(0, 60))
    const rig = database.newRig()
    await rig.open(table.source())
    await rig.until(isRead(rig))
    await insert(rows.slice(60))
    await rig.until(() => rig.of(table.topic).length === 120)
    const expected = rows.map(({ n, f, ...others }) => ({
      ...others,
      n: n === null ? null : String(n),
      f: f === null ? null : f + 0
    }))
    const byKey = (x: { k: string }, y: { k: string }) => (x.k < y.k ? -1 : 1)
    const afters = rig.of(table.topic).map((record) => record.value.after)
    const seen = afters.map((after) => ({ ...after, k: String(after.k), f: zeroed(after.f) }))
    expect(seen.sort(byKey)).toEqual(expected.map((one) => ({ ...one, f: zeroed(one.f) })).sort(byKey))
    for (const record of rig.of(table.topic)) expect(JSON.parse(record.key ?? '')).toEqual({ k: record.value.after.k })
  })
})

function zeroed(value: unknown): unknown {
  return value === 0 ? 0 : value
}

function afterOf(value: Buffer | null): string {
  const text = value?.toString() ?? ''
  return text.slice(text.indexOf('"after":') + 8, text.indexOf(',"source":'))
}

/** The text of each column's value: columns are named c0, c1 …, which no value holds as a key. */
function splitColumns(row: string): Map<string, string> {
  const parts = row.slice(1, -1).split(/,?"(c\d+|id)":/)
  return new Map(Array.from({ length: (parts.length - 1) / 2 }, (_, i) => [parts[i * 2 + 1], parts[i * 2 + 2]]))
}
