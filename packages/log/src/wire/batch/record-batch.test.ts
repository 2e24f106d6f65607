import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DecodeError } from '../codec.ts'
import type { Compression } from '../compression/compression.ts'
import { type BuildOptions, RecordBatchBuilder } from './batch-builder.ts'
import { findBatchDefect } from './batch-defect.ts'
import { BatchField, stampBatch } from './header.ts'
import { decodeBatches, RecordBatch, validateBatch } from './record-batch.ts'
import type { Header } from './record-cursor.ts'

interface PlainRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly Header[]
}

function build(records: readonly PlainRecord[], options?: BuildOptions): Buffer {
  const builder = new RecordBatchBuilder({ initialBytes: 64 })
  for (const { key, value, timestamp, headers } of records) builder.append(key, value, timestamp, headers)
  return builder.build(options)
}

function readAll(batch: RecordBatch): (PlainRecord & { offset: number })[] {
  const records: (PlainRecord & { offset: number })[] = []
  const cursor = batch.records()
  while (cursor.next()) {
    const { offset, timestamp } = cursor
    records.push({ key: cursor.key(), value: cursor.value(), offset, timestamp, headers: cursor.headers() })
  }
  return records
}

const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 60, maxLength: 300 }))
const buffer = bytes.map((array) => Buffer.from(array))
const anyRecord: fc.Arbitrary<PlainRecord> = fc.record({
  key: fc.option(buffer),
  value: fc.option(buffer),
  timestamp: fc.oneof(fc.nat(), fc.integer({ min: -1, max: 2 ** 51 })),
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: fc.option(buffer) }), { maxLength: 3 })
})
const anyCodec = fc.constantFrom<Compression>('none', 'gzip', 'snappy', 'lz4', 'zstd')
const hello: PlainRecord = { key: Buffer.from('k'), value: Buffer.from('hello'), timestamp: 1000, headers: [] }

describe('a record batch', () => {
  it('gives back the records it was built from, with every codec', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 200 }), anyCodec, (records, codec) => {
        const batch = validateBatch(build(records, { codec, baseOffset: 5_000_000_000 }))
        expect(batch.codec).toBe(codec)
        expect(batch.recordCount).toBe(records.length)
        expect(readAll(batch)).toEqual(records.map((record, i) => ({ ...record, offset: 5_000_000_000 + i })))
        expect(batch.maxTimestamp).toBe(Math.max(...records.map((record) => record.timestamp)))
        expect(batch.lastOffset).toBe(batch.baseOffset + records.length - 1)
      }),
      { numRuns: 60 }
    )
  })

  it('carries the header fields it was built with', () => {
    const options: BuildOptions = {
      baseOffset: 2 ** 40,
      leaderEpoch: 7,
      producerId: 4_000_000_001,
      producerEpoch: 32_000,
      baseSequence: 2 ** 31 - 1,
      transactional: true,
      control: true
    }
    const batch = validateBatch(build([hello], options))
    expect(batch).toMatchObject({
      baseOffset: 2 ** 40,
      lastOffset: 2 ** 40,
      leaderEpoch: 7,
      producerId: 4_000_000_001,
      producerEpoch: 32_000,
      baseSequence: 2 ** 31 - 1,
      isTransactional: true,
      isControl: true,
      deleteHorizonMs: undefined
    })
    const plain = validateBatch(build([hello]))
    expect(plain).toMatchObject({ producerId: -1, producerEpoch: -1, baseSequence: -1, leaderEpoch: -1 })
    expect(plain).toMatchObject({ isTransactional: false, isControl: false, baseOffset: 0 })
  })

  it('gives every record the append time where the broker sets it', () => {
    const batch = validateBatch(build([hello, { ...hello, timestamp: 5 }], { logAppendTimeMs: 77_000 }))
    expect(readAll(batch).map((record) => record.timestamp)).toEqual([77_000, 77_000])
    expect(batch.maxTimestamp).toBe(77_000)
  })

  it('keeps timestamps beside a delete horizon', () => {
    const builder = new RecordBatchBuilder({ deleteHorizonMs: 9_000_000 })
    builder.append(hello.key, null, 1000)
    builder.append(hello.key, null, 3000)
    const batch = validateBatch(builder.build())
    expect(batch.deleteHorizonMs).toBe(9_000_000)
    expect(batch.maxTimestamp).toBe(3000)
    expect(readAll(batch).map((record) => record.timestamp)).toEqual([1000, 3000])
  })

  it('may be empty, as compaction leaves it', () => {
    const batch = validateBatch(new RecordBatchBuilder().build({ codec: 'gzip', baseOffset: 9 }))
    expect(batch.recordCount).toBe(0)
    expect(batch.codec).toBe('none')
    expect(readAll(batch)).toEqual([])
  })

  it('does not change when its builder is used again, whether its block was given away or copied', () => {
    for (const initialBytes of [1 << 16, 64, 1]) {
      const builder = new RecordBatchBuilder({ initialBytes })
      const append = (value: string) => builder.append(hello.key, Buffer.from(value), hello.timestamp)
      append('hello')
      append('again')
      const first = builder.build()
      const kept = Buffer.from(first)
      expect(builder.recordCount).toBe(0)
      append('other')
      builder.reset()
      append('hello')
      append('again')
      expect(builder.build()).toEqual(first)
      expect(first).toEqual(kept)
      expect(validateBatch(builder.build()).recordCount).toBe(0)
    }
  })

  it('has exact sizes where a record’s own size needs another byte', () => {
    for (const length of [0, 50, 55, 56, 57, 58, 63, 64, 8170, 8180, 8183, 8184, 8185, 8192]) {
      const records = Array.from({ length: 130 }, (_, i) => ({
        ...hello,
        value: Buffer.alloc(length, i),
        timestamp: i * 1000
      }))
      expect(readAll(validateBatch(build(records))).map((record) => record.value)).toEqual(
        records.map((record) => record.value)
      )
    }
  })

  it('keeps its checksum when a broker stamps it', () => {
    const stamped = build([hello])
    stampBatch(stamped, 2 ** 45 + 3, 12)
    expect(validateBatch(stamped)).toMatchObject({ baseOffset: 2 ** 45 + 3, leaderEpoch: 12 })
  })

  it('shares one empty array among records without headers', () => {
    const cursor = new RecordBatch(build([hello, hello])).records()
    cursor.next()
    const first = cursor.headers()
    cursor.next()
    expect(cursor.headers()).toBe(first)
    expect(first).toHaveLength(0)
  })

  it('can have its headers read in the middle of a walk', () => {
    const headers = [
      { key: 'a', value: Buffer.from('1') },
      { key: 'a', value: null }
    ]
    const records = [{ ...hello, headers }, hello, { ...hello, headers }]
    const cursor = new RecordBatch(build(records)).records()
    for (const record of records) {
      cursor.next()
      expect(cursor.headers()).toEqual(record.headers)
      expect(cursor.headers()).toEqual(record.headers)
      expect(cursor.value()).toEqual(record.value)
    }
    expect(cursor.next()).toBe(false)
    expect(cursor.next()).toBe(false)
  })
})

describe('the bytes of a batch', () => {
  it('are those of the format, field by field', () => {
    const batch = build([
      { key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 0x1_0000, headers: [] },
      { key: null, value: null, timestamp: 0x1_0000 + 64, headers: [{ key: 'h', value: Buffer.from([9]) }] }
    ])
    expect(batch.subarray(0, 17).toString('hex')).toBe(`${'0000000000000000'}${'00000046'}${'ffffffff'}${'02'}`)
    expect(batch.subarray(21, 61).toString('hex')).toBe(
      '0000' +
        '00000001' +
        '0000000000010000' +
        '0000000000010040' +
        'ffffffffffffffff' +
        'ffff' +
        'ffffffff' +
        '00000002'
    )
    // length 8; attributes; deltas 0, 0; key of 1; value of 1; no headers
    expect(batch.subarray(61, 70).toString('hex')).toBe('10' + '00' + '00' + '00' + '02' + '6b' + '02' + '76' + '00')
    // length 11; attributes; timestamp delta 64; offset delta 1; null; null; one header
    expect(batch.subarray(70).toString('hex')).toBe('16' + '00' + '8001' + '02' + '01' + '01' + '02' + '0268' + '0209')
  })
})

describe('decodeBatches', () => {
  it('finds batches one after the other and leaves out a cut-off one', () => {
    const first = build([hello], { baseOffset: 10 })
    const second = build([hello, hello], { baseOffset: 11 })
    const chunk = Buffer.concat([first, second, first.subarray(0, first.length - 1)])
    expect(decodeBatches(chunk).map((batch) => batch.buffer)).toEqual([first, second])
    expect(decodeBatches(Buffer.alloc(0))).toEqual([])
  })

  it('refuses another magic and an impossible size', () => {
    const old = build([hello])
    old[BatchField.magic] = 1
    expect(() => decodeBatches(old)).toThrow(DecodeError)
    const tiny = build([hello])
    tiny.writeInt32BE(-1, BatchField.length)
    expect(() => decodeBatches(tiny)).toThrow(DecodeError)
  })
})

describe('damage', () => {
  it('of one bit anywhere behind the leader epoch is found by the checksum or before it', () => {
    const sound = build([hello, hello], { codec: 'none' })
    fc.assert(
      fc.property(fc.integer({ min: BatchField.magic, max: sound.length - 1 }), fc.nat(7), (position, bit) => {
        const damaged = Buffer.from(sound)
        damaged[position] ^= 1 << bit
        expect(findBatchDefect(damaged)).toBeDefined()
        expect(() => validateBatch(damaged)).toThrow(DecodeError)
      })
    )
    expect(findBatchDefect(sound)).toBeUndefined()
  })

  it('names the defect', () => {
    const sound = build([hello])
    const at = (position: number, value: number) => {
      const damaged = Buffer.from(sound)
      damaged.writeInt32BE(value, position)
      return findBatchDefect(damaged)?.kind
    }
    expect(findBatchDefect(sound.subarray(0, 60))?.kind).toBe('cut-off')
    expect(findBatchDefect(sound.subarray(0, -1))?.kind).toBe('cut-off')
    expect(at(BatchField.length, 0x7fff_ffff)).toBe('cut-off')
    expect(at(BatchField.length, -5)).toBe('size')
    expect(at(BatchField.baseOffset, -1)).toBe('offsets')
    expect(at(BatchField.crc, 1)).toBe('checksum')
    expect(() => validateBatch(Buffer.concat([sound, sound]))).toThrow(/follow the batch/)
  })

  it('of records without checksum gives a DecodeError or records, never anything else', () => {
    const anyBatch = fc.tuple(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), anyCodec)
    const flips = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(anyBatch, flips, ([records, codec], changes) => {
        const damaged = build(records, { codec })
        for (const [at, value] of changes) damaged[BatchField.attributes + (at % (damaged.length - 21))] = value
        try {
          for (const record of readAll(new RecordBatch(damaged))) expect(record.offset).toBeTypeOf('number')
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^MILLRACE_DE/) })
        }
      }),
      { numRuns: 300 }
    )
  })
})
