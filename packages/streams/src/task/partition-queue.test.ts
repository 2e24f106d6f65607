import { describe, expect, it } from 'vitest'
import { string } from '../serde/string.ts'
import { type BatchOfRecords, PartitionQueue } from './partition-queue.ts'
import { RecordChoice } from './record-choice.ts'

const source = {
  node: { kind: 'source', name: 'in-source', parents: [], topics: ['in'], key: string(), value: string() },
  enter: () => {}
} as const

const queue = (topic = 'in') => new PartitionQueue({ topic, partition: 0, source, time: { topic, ms: -1 } })

/** A batch of records at these offsets, without bytes. */
function batch(...offsets: number[]): BatchOfRecords {
  return {
    recordCount: offsets.length,
    records: () => {
      let index = -1
      return {
        next: () => ++index < offsets.length,
        get offset() {
          return offsets[index]
        },
        timestamp: 0,
        buffer: Buffer.alloc(0),
        keyStart: -1,
        keyEnd: -1,
        valueStart: 0,
        valueEnd: 0,
        headers: () => []
      }
    }
  }
}

function consumeAll(partition: PartitionQueue): number[] {
  const offsets: number[] = []
  for (let view = partition.advance(); view !== undefined; view = partition.advance()) {
    offsets.push(view.offset)
    partition.consumed(view.offset)
  }
  return offsets
}

describe('a partition queue', () => {
  it('gives records in order, over batches and gaps, without those before the position', () => {
    const partition = queue()
    const batches = [batch(3, 4, 5, 8), batch(10)]
    partition.offer({ topic: 'in', partition: 0, batches, position: 5, nextOffset: 12, lastStableOffset: 12 })
    expect(consumeAll(partition)).toEqual([5, 8, 10])
    expect(partition.buffered).toBe(0)
  })

  it('stands at the next record while there is one, and past markers and gaps when there is none', () => {
    const partition = queue()
    expect(partition.consumedOffset).toBeUndefined()
    partition.offer({
      topic: 'in',
      partition: 0,
      batches: [batch(5, 8)],
      position: 5,
      nextOffset: 12,
      lastStableOffset: 12
    })
    expect(partition.consumedOffset).toBe(5)
    partition.consumed(partition.advance()?.offset ?? -1)
    expect(partition.consumedOffset).toBe(6)
    partition.consumed(partition.advance()?.offset ?? -1)
    expect(partition.consumedOffset).toBe(12)
    partition.offer({ topic: 'in', partition: 0, batches: [], position: 12, nextOffset: 15, lastStableOffset: 15 })
    expect(partition.consumedOffset).toBe(15)
  })

  it('gives the original bytes of the record last shown, as copies', () => {
    const buffer = Buffer.from('keyvalue')
    const view = { ...batch(0).records(), offset: 0, buffer, keyStart: 0, keyEnd: 3, valueStart: 3, valueEnd: 8 }
    view.next = () => true
    const partition = queue()
    const batches = [{ recordCount: 1, records: () => view }]
    partition.offer({ topic: 'in', partition: 0, batches, position: 0, nextOffset: 1, lastStableOffset: 1 })
    partition.advance()
    const original = partition.original()
    buffer.fill(0)
    expect(original).toMatchObject({ key: Buffer.from('key'), value: Buffer.from('value') })
  })
})

describe('the choice between partitions', () => {
  const show = (): void => {}
  const head = (partition: PartitionQueue, timestamp: number): PartitionQueue => {
    partition.head = { timestamp } as never
    return partition
  }
  const choiceOf = (queues: readonly PartitionQueue[]): RecordChoice => {
    const choice = new RecordChoice(queues)
    for (const partition of queues) choice.offered(partition)
    return choice
  }

  it('takes the lowest timestamp, and of equal ones the first', () => {
    const [a, b, c] = [head(queue('a'), 7), head(queue('b'), 5), head(queue('c'), 5)]
    const choice = choiceOf([a, b, c])
    expect([choice.next(show), choice.next(show), choice.next(show)]).toEqual([b, c, a])
    expect(choice.next(show)).toBeUndefined()
    expect(choiceOf([queue('empty'), head(a, 7)]).next(show)).toBe(a)
    expect(choiceOf([queue('empty'), queue('empty too')]).next(show)).toBeUndefined()
  })

  it('waits for records that are known to be on the log, not for new ones', () => {
    const [a, b] = [head(queue('a'), 7), queue('b')]
    const choice = choiceOf([a, b])
    b.offer({ topic: 'b', partition: 0, batches: [], position: 0, nextOffset: 3, lastStableOffset: 10 })
    expect(choice.next(show)).toBeUndefined()
    b.offer({ topic: 'b', partition: 0, batches: [], position: 3, nextOffset: 10, lastStableOffset: 10 })
    expect(choice.next(show)).toBe(a)
  })

  it('lets a partition with more of the same time wait for the others', () => {
    const [a, b] = [head(queue('a'), 5), head(queue('b'), 5)]
    a.offer({ topic: 'a', partition: 0, batches: [batch(0, 1)], position: 0, nextOffset: 2, lastStableOffset: 2 })
    const choice = choiceOf([a, b])
    expect([choice.next(show), choice.next(show), choice.next(show)]).toEqual([a, b, a])
  })
})
