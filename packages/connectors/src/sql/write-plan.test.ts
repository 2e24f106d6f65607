import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonRows } from '../rows/json-rows.ts'
import type { Row, RowChange } from '../rows/row-change.ts'
import type { SinkRecord } from '../sink.ts'
import { ClaimedOffsets } from './claimed-offsets.ts'
import { PartitionedTruncateError } from './errors.ts'
import { type PlanOptions, planWrites, type WriteStep } from './write-plan.ts'

const bytes = (part: unknown) => (part === null ? null : Buffer.from(JSON.stringify(part)))
function record(key: unknown, value: unknown, topic = 'shop.orders'): SinkRecord {
  return { topic, partition: 0, offset: 0, key: bytes(key), value: bytes(value), timestamp: 0, headers: [] }
}
const options: PlanOptions = { rows: jsonRows() }

describe('planWrites', () => {
  it('refuses the truncate of a topic with several partitions, whose other rows may be newer', () => {
    const rows = { text: jsonRows().text, decode: (): RowChange => ({ kind: 'truncate' }) }
    const claimed = (...partitions: number[]) => {
      const offsets = partitions.map((partition) => ({
        topic: 'shop.orders',
        partition,
        nextOffset: null,
        epoch: 1,
        topicId: null
      }))
      return new ClaimedOffsets('sink', offsets)
    }
    const planned = (partition: number, of: ClaimedOffsets) =>
      planWrites([{ ...record(null, {}), partition }], { rows }, (one) => of.hasSiblings(one))
    expect(planned(0, claimed(0))).toEqual([{ kind: 'truncate', table: 'orders' }])
    expect(() => planned(0, claimed(0, 1))).toThrow(PartitionedTruncateError)
    expect(() => planned(1, claimed(1))).toThrow(/Give the topic one partition/)
  })

  it('reduces upserts to the last per key, sorted by key, deletes first', () => {
    const batch = [
      record({ id: 'b' }, { n: 1 }),
      record({ id: 'a' }, { n: 2 }),
      record({ id: 'b' }, { n: 3 }),
      record({ id: 'c' }, { n: 4 }),
      record({ id: 'c' }, null)
    ]
    expect(planWrites(batch, options)).toEqual([
      { kind: 'delete', table: 'orders', columns: ['id'], rows: [{ id: 'c' }] },
      {
        kind: 'write',
        table: 'orders',
        keyColumns: ['id'],
        columns: ['id', 'n'],
        rows: [
          { id: 'a', n: 2 },
          { id: 'b', n: 3 }
        ]
      }
    ])
  })

  it('knows a key again that is a number here and its text there', () => {
    const keys = [7, '7', 9007199254740991, '9007199254740991', '007', 'x', 1.5, '1.5', -3, '-3', '12345678901234567']
    const batch = keys.map((id, n) => record({ id }, { n }))
    const [step] = planWrites(batch, options)
    expect(step?.kind === 'write' && step.rows.map(({ id }) => id)).toEqual([
      '-3',
      '7',
      '9007199254740991',
      '007',
      '1.5',
      '12345678901234567',
      'x'
    ])
  })

  it('keeps what an earlier record gave of a column that a later one leaves out', () => {
    const batch = [record({ id: 1 }, { n: 1, big: 'x' }), record({ id: 1 }, { n: 2 })]
    expect(planWrites(batch, options)).toMatchObject([{ rows: [{ id: 1, n: 2, big: 'x' }] }])
  })

  it('keeps the order of inserts', () => {
    const batch = [
      record({ id: 2 }, { n: 1 }),
      record({ id: 1 }, { n: 2 }),
      record({ id: 2 }, null),
      record({ id: 3 }, { n: 3 })
    ]
    expect(planWrites(batch, { ...options, mode: 'insert' }).map((step) => step.kind)).toEqual([
      'write',
      'delete',
      'write'
    ])
  })

  it('removes from the last table first', () => {
    const batch = [
      record({ id: 1 }, null, 'child'),
      record({ id: 1 }, null, 'parent'),
      record({ id: 2 }, {}, 'parent'),
      record({ id: 2 }, {}, 'child')
    ]
    expect(planWrites(batch, options).map(({ kind, table }) => `${kind} ${table}`)).toEqual([
      'delete parent',
      'delete child',
      'write child',
      'write parent'
    ])
  })

  it('leaves deletes out when asked, and refuses what has no key where one is needed', () => {
    expect(planWrites([record({ id: 1 }, null)], { ...options, deletes: false })).toEqual([])
    expect(() => planWrites([record(null, { n: 1 })], { ...options, mode: 'update' })).toThrow(/it has no key/)
  })

  it('leaves the same rows as applying one change after the other', () => {
    const change = fc.oneof(
      fc
        .record({ id: fc.nat(4), n: fc.nat(9) })
        .map(({ id, n }): RowChange => ({ kind: 'upsert', key: { id }, row: { id, n } })),
      fc
        .record({ id: fc.nat(4), m: fc.nat(9) })
        .map(({ id, m }): RowChange => ({ kind: 'upsert', key: { id }, row: { id, m } })),
      fc.nat(4).map((id): RowChange => ({ kind: 'delete', key: { id } })),
      fc.constant<RowChange>({ kind: 'truncate' })
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const records = changes.map((_, at) => ({ ...record(null, null), offset: at }))
        const rows = { ...jsonRows(), decode: ({ offset }: SinkRecord) => changes[offset] }
        expect(tableAfter(planWrites(records, { rows }))).toEqual(tableAfter(changes.map(asStep)))
      })
    )
  })
})

function asStep(change: RowChange): WriteStep {
  if (change.kind === 'truncate') return { kind: 'truncate', table: 't' }
  if (change.kind === 'delete') return { kind: 'delete', table: 't', columns: ['id'], rows: [change.key] }
  return { kind: 'write', table: 't', keyColumns: ['id'], columns: Object.keys(change.row), rows: [change.row] }
}

function tableAfter(steps: readonly WriteStep[]): Map<unknown, Row> {
  const table = new Map<unknown, Row>()
  for (const step of steps) {
    if (step.kind === 'truncate') table.clear()
    if (step.kind === 'delete') for (const { id } of step.rows) table.delete(id)
    if (step.kind === 'write') for (const row of step.rows) table.set(row.id, { ...table.get(row.id), ...row })
  }
  return new Map([...table].toSorted(([left], [right]) => Number(left) - Number(right)))
}
