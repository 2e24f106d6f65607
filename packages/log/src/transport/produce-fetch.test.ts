import { describe, expect, it } from 'vitest'
import { batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import type { Environment, FileHandle, FileSystem } from '../environment/environment.ts'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import { decodeBatches } from '../wire/batch/record-batch.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { ZERO_UUID } from '../wire/schema.ts'
import type { ServingBroker } from './in-process.ts'
import { type BrokerClient, inProcessClient, inProcessTransports } from './in-process-fixture.ts'

type Wrap = (broker: ServingBroker) => ServingBroker

async function opened(
  wrap: Wrap = (broker) => broker,
  environment = memoryEnvironment()
): Promise<{ client: BrokerClient; close: () => Promise<void> }> {
  const fixture = brokerFixture({ environment })
  const broker = await fixture.start()
  return { client: inProcessClient(wrap(broker), fixture.environment), close: () => broker.close() }
}

describe.each(inProcessTransports)('produce, %s', (_name, wrap) => {
  it('answers offsets and reads back what was written', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks', 2)
    const first = await client.produce('clicks', batchOf(['a', 'b']), { partition: 1 })
    const second = await client.produce('clicks', batchOf(['c']), { partition: 1 })
    expect([first.baseOffset, second.baseOffset, first.errorCode, first.logStartOffset]).toEqual([0, 2, 0, 0])
    expect(await client.values('clicks', 1)).toEqual(['a', 'b', 'c'])
    expect(await client.values('clicks', 0)).toEqual([])
  })

  it('refuses each bad batch by itself and takes the good one beside it', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks', 5, { 'max.message.bytes': '200' })
    await client.createTopic('two', 1, { 'min.insync.replicas': '2' })
    const corrupt = batchOf(['x'])
    corrupt[corrupt.length - 1] ^= 1
    const cut = batchOf(['x']).subarray(0, 65)
    const twice = Buffer.concat([batchOf(['x']), batchOf(['y'])])
    const { responses } = await client.send(messages.produce, {
      acks: -1,
      timeoutMs: 1_000,
      topicData: [
        {
          name: 'clicks',
          partitionData: [
            { index: 0, records: [batchOf(['good'])] },
            { index: 1, records: [corrupt] },
            { index: 2, records: [cut] },
            { index: 3, records: [twice] },
            { index: 4, records: [batchOf(['x'.repeat(200)])] },
            { index: 5, records: [batchOf(['x'])] },
            { index: 0, records: null }
          ]
        },
        { name: 'two', partitionData: [{ index: 0, records: [batchOf(['x'])] }] },
        { name: 'missing', partitionData: [{ index: 0, records: [batchOf(['x'])] }] },
        { name: '__consumer_offsets', partitionData: [{ index: 0, records: [batchOf(['x'])] }] }
      ]
    })
    expect(responses.map(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))).toEqual([
      [
        ErrorCode.NONE,
        ErrorCode.CORRUPT_MESSAGE,
        ErrorCode.CORRUPT_MESSAGE,
        ErrorCode.INVALID_RECORD,
        ErrorCode.MESSAGE_TOO_LARGE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode.INVALID_RECORD
      ],
      [ErrorCode.NOT_ENOUGH_REPLICAS],
      [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [ErrorCode.INVALID_TOPIC_EXCEPTION]
    ])
    expect(responses[0].partitionResponses[1].errorMessage).toContain('clicks-1')
    expect(await client.values('clicks')).toEqual(['good'])
    // Fewer acknowledgements ask for fewer replicas.
    expect((await client.produce('two', batchOf(['x']), { acks: 1 })).errorCode).toBe(ErrorCode.NONE)
  })

  it('refuses acknowledgements that do not exist', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    const answer = await client.produce('clicks', batchOf(['a']), { acks: 2 })
    expect([answer.errorCode, answer.baseOffset]).toEqual([ErrorCode.INVALID_REQUIRED_ACKS, -1])
    expect(await client.values('clicks')).toEqual([])
  })

  it('answers a repeated batch with its first offsets', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    const { producerId } = await client.send(messages.initProducerId, {
      transactionalId: null,
      transactionTimeoutMs: 1
    })
    const producer = { producerId, producerEpoch: 0 }
    await client.produce('clicks', batchOf(['other']))
    const first = await client.produce('clicks', batchOf(['a', 'b'], { ...producer, baseSequence: 0 }))
    const again = await client.produce('clicks', batchOf(['a', 'b'], { ...producer, baseSequence: 0 }))
    const gap = await client.produce('clicks', batchOf(['d'], { ...producer, baseSequence: 3 }))
    expect([first.baseOffset, again.baseOffset, again.errorCode]).toEqual([1, 1, ErrorCode.NONE])
    expect(gap.errorCode).toBe(ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER)
    expect(await client.values('clicks')).toEqual(['other', 'a', 'b'])
  })

  it('keeps transactional data from those who read committed data until the transaction commits', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks', 2)
    await client.send(messages.findCoordinator, { keyType: 1, coordinatorKeys: ['app'] })
    const ids = await client.send(messages.initProducerId, { transactionalId: 'app', transactionTimeoutMs: 10_000 })
    const producer = { producerId: ids.producerId, producerEpoch: ids.producerEpoch, transactional: true }
    // Two requests at once: the second waits for the first to have joined the transaction, and their order holds.
    const written = await Promise.all([
      client.produce('clicks', batchOf(['a'], { ...producer, baseSequence: 0 }), { transactionalId: 'app' }),
      client.produce('clicks', batchOf(['b'], { ...producer, baseSequence: 1 }), { transactionalId: 'app' })
    ])
    expect(written.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [ErrorCode.NONE, 0],
      [ErrorCode.NONE, 1]
    ])
    const open = await client.fetch({ topic: 'clicks', offset: 0, committed: true })
    expect([open.highWatermark, open.lastStableOffset, open.records?.length]).toEqual([2, 0, 0])
    const end = await client.send(messages.endTxn, { transactionalId: 'app', ...producer, committed: true })
    expect(end.errorCode).toBe(ErrorCode.NONE)
    const done = await client.fetch({ topic: 'clicks', offset: 0, committed: true, maxWaitMs: 5_000 })
    expect(done.lastStableOffset).toBe(3)
    expect(done.abortedTransactions).toEqual([])
  })

  it('lists aborted transactions, and fences the epoch that aborted', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    await client.send(messages.findCoordinator, { keyType: 1, coordinatorKeys: ['app'] })
    const ids = await client.send(messages.initProducerId, { transactionalId: 'app', transactionTimeoutMs: 10_000 })
    const producer = { producerId: ids.producerId, producerEpoch: ids.producerEpoch, transactional: true }
    await client.produce('clicks', batchOf(['a'], { ...producer, baseSequence: 0 }), { transactionalId: 'app' })
    const end = await client.send(messages.endTxn, { transactionalId: 'app', ...producer, committed: false })
    expect(end.producerEpoch).toBe(ids.producerEpoch + 1)
    const fetched = await client.fetch({ topic: 'clicks', offset: 0, committed: true, maxWaitMs: 5_000 })
    expect(fetched.abortedTransactions).toEqual([{ producerId: ids.producerId, firstOffset: 0 }])
    const late = await client.produce('clicks', batchOf(['late'], { ...producer, baseSequence: 1 }), {
      transactionalId: 'app'
    })
    expect([ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.PRODUCER_FENCED]).toContain(late.errorCode)
  })

  it('takes the batches of a transaction in order, also when one waits for the coordinator because of its neighbour', async () => {
    // How soon each request follows the one before, in turns of the event loop.
    const turns = [0, 1, 2, 3, 4, 5]
    for (const [first, second] of turns.flatMap((one) => turns.map((other) => [one, other] as const))) {
      const { client, close } = await opened(wrap, slowDisk())
      await client.createTopic('clicks', 2)
      const ids = await client.send(messages.initProducerId, { transactionalId: 'app', transactionTimeoutMs: 10_000 })
      const batch = (baseSequence: number) =>
        batchOf([String(baseSequence)], {
          producerId: ids.producerId,
          producerEpoch: ids.producerEpoch,
          transactional: true,
          baseSequence
        })
      const send = (...partitionData: { readonly index: number; readonly records: Buffer[] }[]) =>
        client.send(messages.produce, {
          acks: -1,
          timeoutMs: 1_000,
          transactionalId: 'app',
          topicData: [{ name: 'clicks', partitionData }]
        })
      const answers = [send({ index: 0, records: [batch(0)] })]
      await turnsOfTheLoop(first)
      answers.push(send({ index: 1, records: [batch(0)] }, { index: 0, records: [batch(1)] }))
      await turnsOfTheLoop(second)
      answers.push(send({ index: 0, records: [batch(2)] }))
      const codes = (await Promise.all(answers)).flatMap(({ responses }) =>
        responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))
      )
      expect([first, second, codes]).toEqual([first, second, new Array(4).fill(ErrorCode.NONE)])
      await close()
    }
  })

  it('refuses a transactional batch that names no transaction', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    const batch = batchOf(['a'], { producerId: 77, producerEpoch: 0, baseSequence: 0, transactional: true })
    const { errorCode } = await client.produce('clicks', batch)
    expect(errorCode).not.toBe(ErrorCode.NONE)
    expect(await client.values('clicks')).toEqual([])
  })
})

describe.each(inProcessTransports)('fetch, %s', (_name, wrap) => {
  it('returns whole batches, the containing one first, and at least one even over the limit', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    await client.produce('clicks', batchOf(['a', 'b', 'c']))
    await client.produce('clicks', batchOf(['d'.repeat(500)]))
    const middle = await client.fetch({ topic: 'clicks', offset: 1, maxBytes: 10 })
    const [batch] = (middle.records ?? []).flatMap(decodeBatches)
    expect([batch.baseOffset, batch.lastOffset, middle.records?.length]).toEqual([0, 2, 1])
    const large = await client.fetch({ topic: 'clicks', offset: 3, maxBytes: 10 })
    expect((large.records ?? []).flatMap(decodeBatches)[0].baseOffset).toBe(3)
  })

  it('shares one limit among partitions', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks', 3)
    for (const partition of [0, 1, 2]) await client.produce('clicks', batchOf(['x'.repeat(400)]), { partition })
    const partitions = [0, 1, 2].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 10_000 }))
    const { responses } = await client.send(
      messages.fetch,
      { minBytes: 1, maxBytes: 600, topics: [{ topic: 'clicks', partitions }] },
      { maxVersion: 12 }
    )
    const counts = responses[0].partitions.map(({ records }) => records?.length)
    expect(counts).toEqual([1, 1, 0])
    expect(responses[0].partitions.map(({ highWatermark }) => highWatermark)).toEqual([1, 1, 1])
  })

  it('waits for data, and answers as soon as it is committed', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    const waiting = client.fetch({ topic: 'clicks', offset: 0, maxWaitMs: 20_000 }, { lane: 'fetch' })
    await client.produce('clicks', batchOf(['a']))
    expect((await waiting).records?.length).toBe(1)
  })

  it('counts only what the reader may see towards the least it waits for', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    await client.send(messages.findCoordinator, { keyType: 1, coordinatorKeys: ['app'] })
    const ids = await client.send(messages.initProducerId, { transactionalId: 'app', transactionTimeoutMs: 10_000 })
    const producer = { producerId: ids.producerId, producerEpoch: ids.producerEpoch, transactional: true }
    await client.produce('clicks', batchOf(['a'], { ...producer, baseSequence: 0 }), { transactionalId: 'app' })
    let answered = false
    const waiting = client.fetch({ topic: 'clicks', offset: 0, maxWaitMs: 20_000, committed: true }, { lane: 'fetch' })
    waiting.then(() => {
      answered = true
    })
    await client.produce('clicks', batchOf(['b'], { ...producer, baseSequence: 1 }), { transactionalId: 'app' })
    expect(answered).toBe(false)
    await client.send(messages.endTxn, { transactionalId: 'app', ...producer, committed: false })
    // The transaction was open when the fetch came in, and aborted when it was answered.
    expect((await waiting).abortedTransactions).toEqual([{ producerId: ids.producerId, firstOffset: 0 }])
  })

  it('answers with nothing when the time is up, and when the broker closes', async () => {
    const { client, close } = await opened(wrap)
    await client.createTopic('clicks')
    expect((await client.fetch({ topic: 'clicks', offset: 0, maxWaitMs: 5 })).records?.length).toBe(0)
    const waiting = client.fetch({ topic: 'clicks', offset: 0, maxWaitMs: 20_000 })
    await close()
    expect((await waiting).errorCode).toBe(ErrorCode.NONE)
  })

  it('keeps no sessions', async () => {
    const { client } = await opened(wrap)
    const answer = await client.send(messages.fetch, { sessionId: 5, sessionEpoch: 3 })
    expect([answer.errorCode, answer.sessionId]).toEqual([ErrorCode.FETCH_SESSION_ID_NOT_FOUND, 0])
  })

  it('wakes when its topic is deleted', async () => {
    const { client } = await opened(wrap)
    await client.createTopic('clicks')
    const waiting = client.fetch({ topic: 'clicks', offset: 0, maxWaitMs: 20_000 }, { lane: 'fetch' })
    await client.send(messages.deleteTopics, { topics: [{ name: 'clicks' }] })
    expect((await waiting).errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
  })
})

describe('fetch by name and id', () => {
  it('tells what is wrong with a partition at once', async () => {
    const { client } = await opened()
    const topicId = await client.createTopic('clicks')
    const { responses } = await client.send(messages.fetch, {
      maxWaitMs: 20_000,
      minBytes: 1,
      topics: [
        {
          topic: 'clicks',
          partitions: [
            { partition: 0, fetchOffset: 5, partitionMaxBytes: 100 },
            { partition: 0, fetchOffset: 0, currentLeaderEpoch: 7, partitionMaxBytes: 100 },
            { partition: 0, fetchOffset: 0, currentLeaderEpoch: -1, partitionMaxBytes: 100 },
            { partition: 1, fetchOffset: 0, partitionMaxBytes: 100 }
          ]
        },
        { topicId: 'n-C-LFHzTMSBNonSrKPoUw', partitions: [{ partition: 0, partitionMaxBytes: 100 }] },
        { topicId, partitions: [{ partition: 0, partitionMaxBytes: 100 }] },
        { topic: 'other', topicId, partitions: [{ partition: 0, partitionMaxBytes: 100 }] }
      ]
    })
    expect(responses.map(({ partitions }) => partitions.map(({ errorCode }) => errorCode))).toEqual([
      [
        ErrorCode.OFFSET_OUT_OF_RANGE,
        ErrorCode.UNKNOWN_LEADER_EPOCH,
        ErrorCode.NONE,
        ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
      ],
      [ErrorCode.UNKNOWN_TOPIC_ID],
      [ErrorCode.NONE],
      [ErrorCode.INCONSISTENT_TOPIC_ID]
    ])
    expect(responses[0].topicId).toBe(ZERO_UUID)
  })
})

/** A disk on which a sync takes a few turns of the event loop. */
function slowDisk(): Environment {
  const environment = memoryEnvironment()
  const files = overridden(environment.files, {
    open: (...given: Parameters<FileSystem['open']>): FileHandle => {
      const file = environment.files.open(...given)
      return overridden(file, { datasync: () => turnsOfTheLoop(3).then(() => file.datasync()) })
    }
  })
  return { ...environment, files }
}

function overridden<T extends object>(target: T, methods: Partial<T>): T {
  const bound = (name: string | symbol) => {
    const value: unknown = Reflect.get(target, name)
    return typeof value === 'function' ? value.bind(target) : value
  }
  return new Proxy(target, { get: (_, name) => Reflect.get(methods, name) ?? bound(name) })
}

async function turnsOfTheLoop(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}
