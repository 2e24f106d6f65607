import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { missingPostgres } from '../../testing/embedded-postgres/index.ts'
import { isRead, TestDatabase } from './testing/database.ts'

const missing = missingPostgres()

/** Type, value as SQL, and its JSON text in the record. */
const CASES: readonly (readonly [type: string, sql: string, json: string])[] = [
  ['int2', '-32768', '-32768'],
  ['int8', '-9223372036854775808', '-9223372036854775808'],
  ['oid', '4294967295', '4294967295'],
  ['numeric', `'NaN'`, '"NaN"'],
  ['numeric', `'-Infinity'`, '"-Infinity"'],
  [
    'numeric(60,30)',
    '123456789012345678901234567890.000000000000000000000000000001',
    '"123456789012345678901234567890.000000000000000000000000000001"'
  ],
  ['float4', '1.1', '1.1'],
  ['float8', '5e-324', '5e-324'],
  ['float8', `'Infinity'`, '"Infinity"'],
  ['float8', `'NaN'`, '"NaN"'],
  ['bool', 'true', 'true'],
  [
    'text',
    `E'tab\\t, line\\n, "quote", back\\\\slash, \\x01, ü€😀'`,
    JSON.stringify('tab\t, line\n, "quote", back\\slash, \x01, ü€😀')
  ],
  ['char(5)', `'ab'`, '"ab   "'],
  ['bytea', `'\\x00ff10'`, '"AP8Q"'],
  ['uuid', `'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'`, '"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"'],
  ['date', `'2024-02-29'`, '19782'],
  ['date', `'0044-03-15 BC'`, '-735160'],
  ['date', `'5874897-12-31'`, '2145042905'],
  ['date', `'-infinity'`, '-2147483648'],
  ['timestamp', `'2024-02-29 12:34:56.789012'`, '1709210096789012'],
  ['timestamp', `'1969-12-31 23:59:59.5'`, '-500000'],
  ['timestamp', `'294276-12-31 23:59:59.999999'`, '9224318015999999999'],
  ['timestamp', `'4713-01-01 00:00:00.000001 BC'`, '-210863519999999999'],
  ['timestamp', `'infinity'`, '9223372036825200000'],
  ['timestamp', `'-infinity'`, '-9223372036832400000'],
  ['timestamp(3)', `'2024-02-29 12:34:56.789'`, '1709210096789'],
  ['timestamptz', `'2024-02-29 12:34:56.789012+02'`, '"2024-02-29T10:34:56.789012Z"'],
  ['timestamptz', `'infinity'`, '"infinity"'],
  ['timestamptz', `'0044-03-15 12:00:00+00 BC'`, '"-0043-03-15T12:00:00Z"'],
  ['timestamptz', `'294276-12-31 23:59:59.999999+00'`, '"+294276-12-31T23:59:59.999999Z"'],
  ['time', `'23:59:59.999999'`, '86399999999'],
  ['time', `'24:00:00'`, '86400000000'],
  ['time(3)', `'00:00:01.5'`, '1500'],
  ['timetz', `'12:00:00.5+02'`, '"12:00:00.5+02:00"'],
  ['timetz', `'12:00:00+00'`, '"12:00:00Z"'],
  ['interval', `'1 year 2 mons -3 days 04:05:06.789'`, '"P1Y2M-3DT4H5M6.789S"'],
  ['json', `'{"a": [1, "x"]}'`, '"{\\"a\\": [1, \\"x\\"]}"'],
  ['jsonb', `'{"b":1e400}'`, `"{\\"b\\": ${10n ** 400n}}"`],
  ['int[]', `'{{1,2},{3,NULL}}'`, '[[1,2],[3,null]]'],
  ['int[]', `'[0:1]={7,8}'`, '[7,8]'],
  ['int[]', `'{}'`, '[]'],
  [
    'text[]',
    `array['a,b', 'c"d', 'e\\f', 'NULL', NULL, '', '{}']`,
    JSON.stringify(['a,b', 'c"d', 'e\\f', 'NULL', null, '', '{}'])
  ],
  ['timestamptz[]', `array['2024-02-29 12:34:56+00'::timestamptz]`, '["2024-02-29T12:34:56Z"]'],
  ['box[]', `array[box '(1,2),(0,0)', box '(3,4),(1,1)']`, '["(1,2),(0,0)","(3,4),(1,1)"]'],
  ['mood', `'so "so"'`, '"so \\"so\\""'],
  ['mood[]', `array['so "so"', 'sad']::mood[]`, '["so \\"so\\"","sad"]'],
  ['int4range', `'[1,10)'`, '"[1,10)"'],
  ['int4multirange', `'{[1,3),[5,7)}'`, '"{[1,3),[5,7)}"'],
  ['pair', `row(1, 'a "b", (c)', null)::pair`, '{"x":1,"y":"a \\"b\\", (c)","z":null}'],
  ['pair[]', `array[row(1, 'q', array['r"s'])::pair]`, '[{"x":1,"y":"q","z":["r\\"s"]}]'],
  ['positive', '7', '7'],
  ['cents', '1.50', '"1.50"'],
  ['inet', `'::1/128'`, '"::1"'],
  ['cidr', `'10.0.0.0/8'`, '"10.0.0.0/8"'],
  ['macaddr', `'08:00:2b:01:02:03'`, '"08:00:2b:01:02:03"'],
  ['hstore', `'a=>1, "b c"=>NULL, "d\\"e"=>"f,g=>h"'`, JSON.stringify('{"a":"1","b c":null,"d\\"e":"f,g=>h"}')],
  ['bit', `B'1'`, 'true'],
  ['bit(10)', `B'1000000011'`, '"AwI="'],
  ['varbit', `B'101'`, '"BQ=="'],
  ['money', `'-1234.56'`, '"-1234.56"'],
  ['xml', `'<a b="c"/>'`, '"<a b=\\"c\\"/>"'],
  ['tsvector', `'fat cat'`, `"'cat' 'fat'"`],
  ['point', `'(1.5,-2)'`, '{"x":1.5,"y":-2,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null}'],
  ['circle', `'<(0,0),2>'`, '"<(0,0),2>"'],
  ['pg_lsn', `'16/B374D848'`, '"16/B374D848"']
]

describe.skipIf(missing)(`types ${missing ?? ''}`, () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await TestDatabase.start()
    await database.sql(`create extension hstore; create type mood as enum ('sad', 'so "so"');
      create type pair as (x int, y text, z text[]); create domain positive as int check (value > 0); create domain cents as numeric(10,2);
      alter database app set datestyle = 'German'; alter database app set timezone = 'America/New_York';
      alter database app set intervalstyle = 'sql_standard'; alter database app set bytea_output = 'escape'; alter database app set extra_float_digits = -3`)
  })
  afterEach(() => database.endTest())
  afterAll(() => database?.stop())

  it('has each value in the JSON without loss, the same from snapshot and stream, whatever the database’s settings', async () => {
    const columns = CASES.map(([type], index) => `c${index} ${type}`).join(', ')
    const values = CASES.map(([, sql]) => sql).join(', ')
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
    for (const [index, [type, sql, json]] of CASES.entries()) {
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
