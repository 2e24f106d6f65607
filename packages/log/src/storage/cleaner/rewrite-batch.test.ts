import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { BatchField, readInt53 } from '../../wire/batch/header.ts'
import { RecordBatch, validateBatch } from '../../wire/batch/record-batch.ts'
import { emptyBatch, placeholderBatch, rewriteBatch } from './rewrite-batch.ts'

interface Record {
  readonly key: string
  readonly value: string | null
  readonly timestamp: number
  readonly header: string | null
}

const options = {
  baseOffset: 1_000,
  leaderEpoch: 7,
  producerId: 42,
  producerEpoch: 3,
  baseSequence: 99,
  transactional: true
}
const record = fc.record({
  key: fc.string(),
  value: fc.option(fc.string({ maxLength: 300 })),
  timestamp: fc.integer({ min: 0, max: 2 ** 45 }),
  header: fc.option(fc.string())
})

function batchOf(records: readonly Record[], more: Parameters<RecordBatchBuilder['build']>[0] = {}): RecordBatch {
  const builder = new RecordBatchBuilder()
  for (const { key, value, timestamp, header } of records) {
    const headers = header === null ? [] : [{ key: 'h', value: Buffer.from(header) }]
    builder.append(Buffer.from(key), value === null ? null : Buffer.from(value), timestamp, headers)
  }
  return new RecordBatch(builder.build({ ...options, ...more }))
}

function contentOf(batch: RecordBatch): (Record & { readonly offset: number })[] {
  const found: (Record & { readonly offset: number })[] = []
  const cursor = batch.records()
  while (cursor.next()) {
    found.push({
      key: String(cursor.key()),
      value: cursor.value()?.toString() ?? null,
      timestamp: cursor.timestamp,
      header: cursor.headers()[0]?.value?.toString() ?? null,
      offset: cursor.offset
    })
  }
  return found
}

describe('a batch that loses records', () => {
  it('keeps the others as they were, and all that its header says', () => {
    const codecs = fc.constantFrom('none', 'gzip', 'snappy', 'lz4', 'zstd')
    const horizons = fc.constantFrom('no batch', 'every batch', 'batches with tombstones')
    const kept = fc.array(fc.boolean(), { minLength: 20, maxLength: 20 })
    const records = fc.array(record, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(records, kept, codecs, horizons, (all, keep, codec, horizonFor) => {
        const batch = batchOf(all, { codec })
        let index = 0
        const { batch: rewritten, ...counts } = rewriteBatch(batch, {
          keeps: () => keep[index++],
          deleteHorizonMs: 1_800_000_000_000,
          horizonFor
        })
        const expected = contentOf(batch).filter((_, at) => keep[at])
        const tombstones = expected.filter(({ value }) => value === null).length
        expect(counts).toEqual({ recordsKept: expected.length, tombstonesKept: tombstones })
        if (rewritten === undefined) {
          expect(expected).toEqual([])
          return
        }
        const after = validateBatch(rewritten)
        expect(contentOf(after)).toEqual(expected)
        expect(after.lastOffset).toBe(batch.lastOffset)
        expect(after.maxTimestamp).toBe(Math.max(...expected.map(({ timestamp }) => timestamp)))
        const waits = horizonFor === 'every batch' || (horizonFor === 'batches with tombstones' && tombstones > 0)
        expect(after.deleteHorizonMs).toBe(waits ? 1_800_000_000_000 : undefined)
        for (const field of [
          'baseOffset',
          'leaderEpoch',
          'producerId',
          'producerEpoch',
          'baseSequence',
          'codec'
        ] as const) {
          expect(after[field]).toBe(batch[field])
        }
        expect(after.isTransactional).toBe(true)
      })
    )
  })

  it('stays the same bytes when nothing goes, and keeps the horizon it has', () => {
    const builder = new RecordBatchBuilder({ deleteHorizonMs: 5_000 })
    builder.append(Buffer.from('a'), null, 1_000)
    builder.append(Buffer.from('b'), Buffer.from('c'), 2_000)
    const batch = new RecordBatch(builder.build())
    const plan = { deleteHorizonMs: 9_000, horizonFor: 'batches with tombstones' } as const
    expect(rewriteBatch(batch, { ...plan, keeps: () => true }).batch).toBe(batch.buffer)
    const fewer = rewriteBatch(batch, { ...plan, keeps: (cursor) => cursor.offset === 1 }).batch
    expect(fewer === undefined ? undefined : new RecordBatch(fewer).deleteHorizonMs).toBe(5_000)
  })

  it('keeps the time of its append', () => {
    const batch = batchOf([{ key: 'a', value: null, timestamp: 5, header: null }], { logAppendTimeMs: 77_000 })
    const plan = { keeps: () => true, deleteHorizonMs: 9_000_000, horizonFor: 'every batch' } as const
    const rewritten = validateBatch(rewriteBatch(batch, plan).batch ?? Buffer.alloc(0))
    expect(contentOf(rewritten)[0].timestamp).toBe(77_000)
    expect(rewritten.deleteHorizonMs).toBe(9_000_000)
  })

  it('keeps its place, its producer and its time as an empty header', () => {
    const batch = batchOf(
      [1, 2, 3].map((at) => ({ key: 'k', value: 'v', timestamp: at, header: null })),
      { codec: 'lz4' }
    )
    const empty = validateBatch(emptyBatch(batch.buffer))
    expect(contentOf(empty)).toEqual([])
    for (const field of [
      'baseOffset',
      'lastOffset',
      'leaderEpoch',
      'producerId',
      'baseSequence',
      'maxTimestamp'
    ] as const) {
      expect(empty[field]).toBe(batch[field])
    }
    expect(readInt53(empty.buffer, BatchField.baseTimestamp)).toBe(-1)
    expect(empty.codec).toBe('none')
    const placeholder = validateBatch(placeholderBatch(batch.buffer))
    expect(contentOf(placeholder)).toEqual([])
    for (const field of ['baseOffset', 'lastOffset', 'leaderEpoch'] as const)
      expect(placeholder[field]).toBe(batch[field])
    expect([placeholder.producerId, placeholder.isTransactional, placeholder.isControl]).toEqual([-1, false, false])
    expect(empty.isTransactional).toBe(true)
  })
})
