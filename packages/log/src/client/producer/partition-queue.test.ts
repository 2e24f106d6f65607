import { describe, expect, it } from 'vitest'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { type NextBatch, PartitionQueue, sequenceAfter } from './partition-queue.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerIdentity } from './producer-session.ts'

const first: ProducerIdentity = { producerId: 7, producerEpoch: 0 }
const bumped: ProducerIdentity = { producerId: 7, producerEpoch: 1 }
const encoding = { compression: 'none', transactional: false } as const

/** A queue with batches of these many records waiting. */
function queueOf(...recordCounts: readonly number[]): PartitionQueue {
  const queue = new PartitionQueue('topic', 0)
  for (const count of recordCounts) addBatch(queue, count)
  return queue
}

function addBatch(queue: PartitionQueue, count: number): void {
  const batch = queue.openBatch(0, new RecordBatchBuilder())
  for (let record = 0; record < count; record++) batch.append(null, Buffer.from('v'), 1)
  queue.seal()
}

/** Sends what may be sent; returns it. */
function send(queue: PartitionQueue, identity: ProducerIdentity, limit = 5): ProducerBatch[] {
  const sent: ProducerBatch[] = []
  while (queue.peek(0, limit) !== undefined) {
    const next: NextBatch | undefined = queue.take(identity)
    if (next === undefined) break
    next.batch.encode(next.identity, next.baseSequence, encoding)
    sent.push(next.batch)
  }
  return sent
}

function sequences(batches: readonly ProducerBatch[]): string[] {
  return batches.map(({ baseSequence, identity }) => `${identity?.producerEpoch}:${baseSequence}`)
}

/** A queue whose producer id the broker knows, with `recordCounts` batches waiting. */
function knownQueue(...recordCounts: readonly number[]): PartitionQueue {
  const queue = queueOf(1)
  const [known] = send(queue, first)
  queue.acknowledged(known, 0)
  for (const count of recordCounts) addBatch(queue, count)
  return queue
}

describe('sequence numbers of a partition', () => {
  it('count records, over the end of 31 bits', () => {
    expect(sequenceAfter(5, 3)).toBe(8)
    expect(sequenceAfter(2 ** 31 - 2, 3)).toBe(1)
  })

  it('are given in order when batches are first sent', () => {
    expect(sequences(send(knownQueue(3, 2, 4), first))).toEqual(['0:1', '0:4', '0:6'])
  })

  it('go alone with a producer id that the partition has not met, until it is acknowledged', () => {
    const queue = queueOf(1, 1, 1)
    const [alone, ...others] = send(queue, first)
    expect(others).toEqual([])
    queue.acknowledged(alone, 0)
    expect(send(queue, first)).toHaveLength(2)
  })

  it('do not go alone with a new epoch of a known producer', () => {
    const queue = knownQueue(1, 1)
    expect(sequences(send(queue, bumped))).toEqual(['1:0', '1:1'])
  })

  it('stay with a batch that is repeated, which goes alone, before and after it', () => {
    const queue = knownQueue(3, 2, 4)
    const [a, b] = send(queue, first, 2)
    queue.putBack(a)
    expect(send(queue, first)).toEqual([])
    queue.putBack(b)
    expect(send(queue, first)).toEqual([a])
    expect(send(queue, first)).toEqual([])
    queue.acknowledged(a, 10)
    expect(send(queue, first)).toEqual([b])
    queue.acknowledged(b, 13)
    expect(sequences(send(queue, first))).toEqual(['0:6'])
    expect(sequences([a, b])).toEqual(['0:1', '0:4'])
    expect(queue.lastOffset).toBe(14)
  })

  it('begin anew with a new epoch for what was certainly not written, once nothing of the old one is under way', () => {
    const queue = knownQueue(3, 2, 4)
    const [lost, refused, underWay] = send(queue, first)
    queue.drop(lost)
    queue.putBack(refused)
    expect(send(queue, bumped)).toEqual([])
    queue.putBack(underWay)
    expect(send(queue, bumped)).toEqual([refused])
    queue.acknowledged(refused, 5)
    send(queue, bumped)
    expect(sequences([refused, underWay])).toEqual(['1:0', '1:2'])
  })

  it('stay the old ones for what may be written, until a broker has decided', () => {
    const queue = knownQueue(3, 2)
    const [lost, doubtful] = send(queue, first)
    queue.drop(lost)
    doubtful.maybeWritten = true
    queue.putBack(doubtful)
    expect(sequences(send(queue, bumped))).toEqual(['0:4'])
    doubtful.maybeWritten = false
    queue.putBack(doubtful)
    expect(sequences(send(queue, bumped))).toEqual(['1:0'])
  })

  it('are not doubted any more behind a batch that was certainly not written', () => {
    const queue = knownQueue(3, 2)
    const [refused, doubtful] = send(queue, first)
    doubtful.maybeWritten = true
    queue.putBack(doubtful)
    queue.putBack(refused)
    send(queue, bumped)
    queue.acknowledged(refused, 3)
    send(queue, bumped)
    expect(sequences([refused, doubtful])).toEqual(['1:0', '1:3'])
  })
})

describe('a partition’s batches', () => {
  it('know whether an earlier one is undecided', () => {
    const queue = knownQueue(1, 1, 1)
    const [a, b] = send(queue, first, 2)
    expect(queue.hasEarlier(a)).toBe(false)
    expect(queue.hasEarlier(b)).toBe(true)
    queue.putBack(a)
    expect(queue.hasEarlier(b)).toBe(true)
    queue.drop(a)
    expect(queue.hasEarlier(b)).toBe(false)
  })

  it('wait until their backoff is over', () => {
    const queue = queueOf(1)
    queue.notBeforeMs = 10
    expect(queue.peek(9, 5)).toBeUndefined()
    expect(queue.peek(10, 5)).toBeDefined()
  })

  it('are given up together, open ones included, except those under way', () => {
    const queue = knownQueue(1, 1)
    send(queue, first, 1)
    queue.openBatch(0, new RecordBatchBuilder())
    expect(queue.dropWaiting()).toHaveLength(2)
    expect(queue.underWay).toHaveLength(1)
    expect(queue.sealed).toEqual([])
  })
})
