import { json, string } from '@millrace/streams'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PoisonousRecordError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import { debeziumRows } from './debezium-rows.ts'
import { jsonRows } from './json-rows.ts'
import { parseLosslessly, stringifyLosslessly } from './lossless-json.ts'
import { serdeRows } from './serde-rows.ts'

const bytes = (part: unknown) =>
  part === null ? null : Buffer.from(typeof part === 'string' ? part : JSON.stringify(part))
function record(key: unknown, value: unknown): SinkRecord {
  return { topic: 't', partition: 1, offset: 7, key: bytes(key), value: bytes(value), timestamp: 0, headers: [] }
}

function attempt<T>(run: () => T) {
  try {
    return Object(run())
  } catch {
    return undefined
  }
}

describe('lossless JSON', () => {
  it('keeps every integer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }), fc.nat(40), (integer, before) => {
        const text = `{"${'a'.repeat(before)}":[${integer}]}`
        const parsed = parseLosslessly(text)
        const expected = Number.isSafeInteger(Number(integer)) ? Number(integer) : integer
        expect(parsed).toEqual({ ['a'.repeat(before)]: [expected] })
        expect(stringifyLosslessly(parsed)).toBe(text)
      })
    )
  })

  it('is JSON otherwise', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value)
        expect(stringifyLosslessly(parseLosslessly(text))).toBe(text)
      })
    )
  })
})

describe('jsonRows', () => {
  it('takes the key columns from a JSON object', () => {
    expect(jsonRows().decode(record({ id: 1, part: 'x' }, { name: 'n' }))).toEqual({
      kind: 'upsert',
      key: { id: 1, part: 'x' },
      row: { id: 1, part: 'x', name: 'n' }
    })
  })

  it('takes the value where the key says something else of a column, whatever the column is called', () => {
    const { row } = Object(jsonRows().decode(record({ id: 1, n: 1 }, { n: 2 })))
    expect(row).toEqual({ n: 2, id: 1 })
    const odd = Object(jsonRows().decode(record('{"__proto__":1}', { n: 2 }))).row
    expect(Object.entries(odd)).toEqual([
      ['__proto__', 1],
      ['n', 2]
    ])
  })

  it('takes any key as JSON has it, whatever came before', () => {
    const odd = [
      '{"id":-0}',
      '{"id":01}',
      '{"id":1.5}',
      '{"id":1e3}',
      '{"id":}',
      '{"id":-}',
      '{"id":1}}',
      '{"id":"1"}',
      '{ "id":1}',
      '[1]',
      '{"id":1,"b":2}'
    ]
    const key = fc.oneof(
      fc.bigInt(-(10n ** 20n), 10n ** 20n).map((id) => `{"id":${id}}`),
      fc.nat(100).map((id) => `{"other \\"name\\"":${id}}`),
      fc.constantFrom(...odd)
    )
    fc.assert(
      fc.property(fc.array(key, { maxLength: 8 }), (keys) => {
        const rows = jsonRows()
        for (const text of keys) {
          const fresh = attempt(() => jsonRows().decode(record(text, {})))
          const expected = attempt(() => Object(parseLosslessly(text)))
          const given = attempt(() => rows.decode(record(text, {})))
          expect(given).toEqual(fresh)
          if (expected !== undefined && !Array.isArray(expected)) expect(given?.key).toEqual(expected)
        }
      })
    )
  })

  it('takes a text key as one column, and a null value as a delete', () => {
    const rows = jsonRows({ key: 'user' })
    expect(rows.decode(record('ann', { n: 1 }))).toEqual({
      kind: 'upsert',
      key: { user: 'ann' },
      row: { user: 'ann', n: 1 }
    })
    expect(rows.decode(record('ann', null))).toEqual({ kind: 'delete', key: { user: 'ann' } })
  })

  it('refuses what is no row, naming the record', () => {
    expect(() => jsonRows().decode(record('{', {}))).toThrow(/offset 7 of t-1 cannot be written: its key is no JSON/)
    expect(() => jsonRows().decode(record({ id: 1 }, [1]))).toThrow(/its value is JSON, but no object/)
    expect(() => jsonRows().decode(record(null, null))).toThrow(PoisonousRecordError)
  })
})

describe('serdeRows', () => {
  const rows = serdeRows({
    key: string(),
    value: json<{ total: number }>(),
    keyRow: (key) => ({ customer: key }),
    row: (value) => ({ total: value.total })
  })

  it('decodes with the serdes', () => {
    expect(rows.decode(record('ann', { total: 2 }))).toEqual({
      kind: 'upsert',
      key: { customer: 'ann' },
      row: { customer: 'ann', total: 2 }
    })
    expect(rows.decode(record('ann', null))).toEqual({ kind: 'delete', key: { customer: 'ann' } })
  })

  it('names the serde that could not', () => {
    expect(() => rows.decode(record('ann', '{'))).toThrow(/its value cannot be decoded with json/)
  })
})

describe('debeziumRows', () => {
  const rows = debeziumRows()
  const envelope = (op: string, before: unknown, after: unknown) => ({ before, after, op, source: {}, ts_ms: 0 })

  it('gives the row after creates, reads and updates', () => {
    for (const op of ['c', 'r', 'u']) {
      expect(rows.decode(record({ id: 1 }, envelope(op, null, { id: 1, a: 'x' })))).toEqual({
        kind: 'upsert',
        key: { id: 1 },
        row: { id: 1, a: 'x' }
      })
    }
  })

  it('deletes by the key, or by the old row of a table without a key', () => {
    expect(rows.decode(record({ id: 1 }, envelope('d', { id: 1 }, null)))).toEqual({ kind: 'delete', key: { id: 1 } })
    expect(rows.decode(record(null, envelope('d', { a: 1, b: 2 }, null)))).toEqual({
      kind: 'delete',
      key: { a: 1, b: 2 },
      wholeRow: true
    })
    expect(() => rows.decode(record(null, envelope('d', null, null)))).toThrow(/neither a key nor an old image/)
  })

  it('empties the table at a truncate, and takes nothing from tombstones and messages', () => {
    expect(rows.decode(record(null, envelope('t', null, null)))).toEqual({ kind: 'truncate' })
    expect(rows.decode(record({ id: 1 }, null))).toBeUndefined()
    expect(rows.decode(record({ prefix: 'p' }, { op: 'm', message: {} }))).toBeUndefined()
  })

  it('leaves unavailable values out', () => {
    const after = { id: 1, big: '__debezium_unavailable_value', small: 's' }
    expect(rows.decode(record({ id: 1 }, envelope('u', null, after)))).toMatchObject({ row: { id: 1, small: 's' } })
    expect(rows.decode(record({ id: 1 }, envelope('u', null, after)))).not.toHaveProperty('row.big')
  })

  it('reads the form with a schema beside the payload', () => {
    const key = { schema: {}, payload: { id: 1 } }
    const value = { schema: {}, payload: envelope('c', null, { id: 1 }) }
    expect(rows.decode(record(key, value))).toEqual({ kind: 'upsert', key: { id: 1 }, row: { id: 1 } })
  })

  it('refuses what is no change event', () => {
    expect(() => rows.decode(record({ id: 1 }, { id: 1 }))).toThrow(/no change event/)
  })
})
