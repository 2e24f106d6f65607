import { describe, expect, it } from 'vitest'
import type { ResponseOf } from '../../wire/api.ts'
import { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { stampBatch } from '../../wire/batch/header.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { fetch, listOffsets, metadata } from '../../wire/messages/index.ts'
import type { PartialOf } from '../../wire/schema.ts'
import { CorruptBatchError } from '../errors.ts'
import { type ScriptedTransport, scriptedCluster } from '../scripted-transport-fixture.ts'
import { Consumer } from './consumer.ts'
import type { ConsumerOptions } from './consumer-options.ts'

const places = [0, 1].map((partition) => ({ topic: 'a', partition }))

/** How long a poll waits for what must come. */
const PATIENCE_MS = 60_000

type Answer = PartialOf<ResponseOf<typeof fetch>>

/** An answer with one batch of one record of partition `partitionIndex`, or an error. */
function answer(partitionIndex: number, offset: number, errorCode = 0): Answer {
  const records = errorCode === 0 ? [batchAt(offset)] : null
  return {
    responses: [{ topic: 'a', partitions: [{ partitionIndex, errorCode, highWatermark: offset + 1, records }] }]
  }
}

function batchAt(offset: number): Buffer {
  const builder = new RecordBatchBuilder()
  builder.append(null, Buffer.from(`${offset}`), 1)
  const batch = builder.build()
  stampBatch(batch, offset, 3)
  return batch
}

function openConsumer(options: ConsumerOptions = {}): { transport: ScriptedTransport; consumer: Consumer } {
  const { transport, context } = scriptedCluster()
  transport.on(listOffsets, ({ topics }) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, offset: 0 }))
    }))
  }))
  return { transport, consumer: new Consumer(context, options) }
}

describe('fetching', () => {
  it('says what it wants: bounds, isolation, the leader’s epoch, no session', async () => {
    const { transport, consumer } = openConsumer({
      fetchMaxWaitMs: 70,
      fetchMinBytes: 3,
      partitionMaxBytes: 9,
      fetchMaxBytes: 50
    })
    transport.inTurn(fetch, [() => answer(0, 0), () => new Promise(() => {})])
    consumer.assign([places[0]])
    await consumer.poll(PATIENCE_MS)
    expect(transport.requests(fetch)[0]).toMatchObject({
      replicaId: -1,
      maxWaitMs: 70,
      minBytes: 3,
      maxBytes: 50,
      isolationLevel: 1,
      sessionId: 0,
      sessionEpoch: -1,
      topics: [
        { topic: 'a', partitions: [{ partition: 0, fetchOffset: 0, currentLeaderEpoch: 3, partitionMaxBytes: 9 }] }
      ]
    })
  })

  it('asks for the next before the caller works on what it got, and holds one answer a partition', async () => {
    const { transport, consumer } = openConsumer()
    let offset = 0
    transport.on(fetch, () => answer(0, offset++))
    consumer.assign([places[0]])
    const [first] = await consumer.poll(PATIENCE_MS)
    expect(first.nextOffset).toBe(1)
    await new Promise((resolve) => setImmediate(resolve))
    expect(transport.requests(fetch)).toHaveLength(2)
    const [second] = await consumer.poll(PATIENCE_MS)
    expect(second.position).toBe(1)
  })

  it('keeps one request for what is idle, and uses another lane for what becomes ready meanwhile', async () => {
    const { transport, consumer } = openConsumer()
    transport.on(fetch, ({ topics }) => {
      const asked = topics[0].partitions.map(({ partition }) => partition)
      return asked.includes(0) ? new Promise(() => {}) : answer(1, 0)
    })
    consumer.assign(places)
    consumer.pause([places[1]])
    // A poll may be over before its request for the first one is out.
    while (transport.requests(fetch).length === 0) expect(await consumer.poll(5)).toEqual([])
    consumer.resume([places[1]])
    expect((await consumer.poll(PATIENCE_MS)).map(({ partition }) => partition)).toEqual([1])
    const lanes = transport.options(fetch).map(({ lane }) => lane)
    expect(lanes[0]).not.toBe(lanes[1])
  })

  it('looks for the leader again when it has moved, and goes on there', async () => {
    const { transport, consumer } = openConsumer()
    let leaderId = 1
    transport.on(metadata, () => ({ topics: [{ name: 'a', partitions: [{ partitionIndex: 0, leaderId }] }] }))
    transport.on(fetch, (_request, { node }) => {
      if (node === 2) return answer(0, 0)
      leaderId = 2
      return answer(0, 0, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    })
    consumer.assign([places[0]])
    expect(await consumer.poll(PATIENCE_MS)).toHaveLength(1)
    expect(
      transport
        .options(fetch)
        .map(({ node }) => node)
        .slice(0, 2)
    ).toEqual([1, 2])
  })

  it('does not take the answer to a question that a seek has made old', async () => {
    const { transport, consumer } = openConsumer()
    const held: (() => void)[] = []
    transport.on(fetch, ({ topics }) => {
      const [{ fetchOffset }] = topics[0].partitions
      if (fetchOffset === 5) return answer(0, 5)
      return new Promise<Answer>((resolve) => {
        held.push(() => resolve(answer(0, 0)))
      })
    })
    consumer.assign([places[0]])
    await consumer.poll(5)
    consumer.seek(places[0], 5)
    for (const release of held) release()
    const [fetched] = await consumer.poll(PATIENCE_MS)
    expect([fetched.position, fetched.nextOffset]).toEqual([5, 6])
  })

  it('tells of a damaged batch, and goes on where the caller seeks', async () => {
    const { transport, consumer } = openConsumer()
    const damaged = batchAt(0)
    damaged[damaged.length - 2] ^= 4
    transport.on(fetch, ({ topics }) => {
      const [{ fetchOffset }] = topics[0].partitions
      if (fetchOffset > 0) return answer(0, 1)
      return { responses: [{ topic: 'a', partitions: [{ partitionIndex: 0, highWatermark: 2, records: [damaged] }] }] }
    })
    consumer.assign([places[0]])
    const error = await consumer.poll(PATIENCE_MS).catch((reason) => reason)
    expect(error).toBeInstanceOf(CorruptBatchError)
    expect([error.topic, error.partition, error.offset]).toEqual(['a', 0, 0])
    consumer.seek(places[0], 1)
    expect((await consumer.poll(PATIENCE_MS))[0].nextOffset).toBe(2)
  })
})
