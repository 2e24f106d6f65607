import { describe, expect, it } from 'vitest'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { BatchAttribute, BatchField, stampBatch, writeInt53 } from '../../wire/batch/header.ts'
import { RecordBatch, validateBatch } from '../../wire/batch/record-batch.ts'
import { splitBatch } from './batch-split.ts'
import { ProducerBatch } from './producer-batch.ts'
import { SentBytes } from './sent-bytes.ts'

const identity = { producerId: 7, producerEpoch: 2 }
const encoding = { compression: 'lz4', transactional: true } as const

function built(): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append(Buffer.from('k'), Buffer.from('v'), 1_000)
  return builder.build({ ...identity, baseSequence: 5, transactional: true })
}

/** What a broker in the same process does to the bytes that it was given. */
function stampAsBroker(bytes: Buffer): void {
  stampBatch(bytes, 4_711, 9)
  bytes.writeInt16BE(bytes.readInt16BE(BatchField.attributes) | BatchAttribute.logAppendTime, BatchField.attributes)
  writeInt53(bytes, 1_800_000_000_000, BatchField.maxTimestamp)
}

describe('the bytes of a batch that was given away', () => {
  it('are repeated as they were first sent, in a buffer of their own', () => {
    const bytes = built()
    const asSent = Buffer.from(bytes)
    const sent = new SentBytes(bytes)
    stampAsBroker(bytes)
    const repetition = sent.repetition()
    expect(repetition).toEqual(asSent)
    stampAsBroker(repetition)
    expect(sent.repetition()).toEqual(asSent)
  })

  it('can be renumbered, checksum and all', () => {
    const bytes = built()
    const sent = new SentBytes(bytes)
    stampAsBroker(bytes)
    const batch = validateBatch(sent.renumbered({ producerId: 8, producerEpoch: 0 }, 0))
    expect([batch.producerId, batch.producerEpoch, batch.baseSequence]).toEqual([8, 0, 0])
    expect(batch.isTransactional).toBe(true)
  })
})

describe('a batch that is too large for its topic', () => {
  it('becomes two that carry its records, sequence numbers and waiters on', () => {
    const whole = new ProducerBatch({ topic: 'topic', partition: 1, order: 3, createdMs: 0 })
    const headers = [{ key: 'h', value: Buffer.from('x') }]
    const offsets: number[] = []
    for (let index = 0; index < 5; index++) {
      const resolve = ({ offset }: { offset: number }) => void offsets.push(offset)
      whole.awaited.push({ index, timestamp: index, resolve, reject: () => {} })
      whole.append(null, Buffer.from(`v${index}`), index, headers)
    }
    whole.reservedBytes = 101
    whole.encode(identity, 2 ** 31 - 2, encoding)
    let settled = false
    whole.whenSettled(() => {
      settled = true
    })
    const [first, second] = splitBatch(whole, whole.sentBytes() ?? Buffer.alloc(0))
    expect([first.recordCount, second.recordCount]).toEqual([2, 3])
    expect([first.baseSequence, second.baseSequence]).toEqual([2 ** 31 - 2, 0])
    expect(first.reservedBytes + second.reservedBytes).toBe(101)
    expect(second.place.order).toBeGreaterThan(3)
    expect(second.place.order).toBeLessThan(4)
    const cursor = new RecordBatch(second.encode(identity, second.baseSequence, encoding)).records()
    const values: string[] = []
    while (cursor.next()) values.push(`${cursor.value()} ${cursor.timestamp} ${cursor.headers()[0].value}`)
    expect(values).toEqual(['v2 2 x', 'v3 3 x', 'v4 4 x'])
    first.acknowledge(10, -1)
    expect(settled).toBe(false)
    second.acknowledge(12, -1)
    expect(settled).toBe(true)
    expect(offsets).toEqual([10, 11, 12, 13, 14])
  })
})
