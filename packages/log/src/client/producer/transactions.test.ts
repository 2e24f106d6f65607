import { describe, expect, it } from 'vitest'
import type { Environment } from '../../environment/environment.ts'
import { simulatedEnvironment } from '../../testing/simulated-world.ts'
import { DisconnectedError } from '../../transport/errors.ts'
import { ErrorCode, type ErrorName } from '../../wire/errors.ts'
import {
  addOffsetsToTxn,
  addPartitionsToTxn,
  endTxn,
  findCoordinator,
  initProducerId,
  produce,
  txnOffsetCommit
} from '../../wire/messages/index.ts'
import {
  AbortableTransactionError,
  CommitRefusedError,
  FatalProducerError,
  ProducerFencedError,
  UnknownOutcomeError
} from '../errors.ts'
import { produceAnswer, type ScriptedTransport, scriptedCluster } from '../scripted-transport-fixture.ts'
import { Producer } from './producer.ts'
import type { ProducerOptions } from './producer-options.ts'

const group = { groupId: 'group', generationId: 4, memberId: 'member', groupInstanceId: 'instance' }
const offsets = [
  { topic: 'a', partition: 0, offset: 5, leaderEpoch: 2, metadata: 'meta' },
  { topic: 'b', partition: 1, offset: 6 }
]

/** A cluster in which transactions go well, of the given protocol, and a producer that is initialized. */
async function openProducer(
  transactionVersion: 1 | 2,
  options: ProducerOptions = {},
  environment?: Environment
): Promise<{ transport: ScriptedTransport; producer: Producer }> {
  const { transport, context } = scriptedCluster(environment)
  transport.transactionVersion = transactionVersion
  let epoch = 0
  transport.on(initProducerId, () => ({ producerId: 7, producerEpoch: epoch++ }))
  transport.on(addPartitionsToTxn, ({ v3AndBelowTopics }) => ({
    resultsByTopicV3AndBelow: v3AndBelowTopics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({ partitionIndex }))
    }))
  }))
  transport.on(addOffsetsToTxn, () => ({}))
  transport.on(txnOffsetCommit, () => ({}))
  transport.on(endTxn, (_request, { maxVersion }) =>
    maxVersion === undefined ? { producerId: 7, producerEpoch: epoch++ } : {}
  )
  const producer = new Producer(context, { transactionalId: 'id', ...options })
  await producer.initTransactions()
  return { transport, producer }
}

function names(transport: ScriptedTransport): string[] {
  const transactional = [initProducerId, addPartitionsToTxn, addOffsetsToTxn, txnOffsetCommit, endTxn, produce]
  const wanted = new Set(transactional.map(({ name }) => name))
  return transport.sent.map(({ api }) => api).filter((name) => wanted.has(name))
}

function epochs(transport: ScriptedTransport): number[] {
  return transport
    .requests(produce)
    .map(({ topicData }) => topicData[0].partitionData[0].records?.[0].readInt16BE(51) ?? -1)
}

describe('a transaction of the second protocol', () => {
  it('begins as nobody, with the timeout that was asked for', async () => {
    const { transport } = await openProducer(2, { transactionTimeoutMs: 12_345 })
    expect(transport.requests(initProducerId)).toEqual([
      { transactionalId: 'id', transactionTimeoutMs: 12_345, producerId: -1, producerEpoch: -1 }
    ])
  })

  it('adds nothing by request and takes a new epoch from each end', async () => {
    const { transport, producer } = await openProducer(2)
    for (const commit of [true, false, true]) {
      producer.beginTransaction()
      producer.enqueue('a', 0, null, Buffer.from('v'), 1)
      await producer.flush()
      await producer.sendOffsetsToTransaction(offsets, group)
      await (commit ? producer.commitTransaction() : producer.abortTransaction())
    }
    const each = ['Produce', 'TxnOffsetCommit', 'EndTxn']
    expect(names(transport)).toEqual(['InitProducerId', ...each, ...each, ...each])
    expect(epochs(transport)).toEqual([0, 1, 2])
    expect(transport.requests(endTxn).map(({ producerEpoch, committed }) => [producerEpoch, committed])).toEqual([
      [0, true],
      [1, false],
      [2, true]
    ])
    expect(transport.options(produce).every(({ maxVersion }) => maxVersion === undefined)).toBe(true)
  })

  it('ends without a word when nothing was sent in it', async () => {
    const { transport, producer } = await openProducer(2)
    producer.beginTransaction()
    await producer.commitTransaction()
    producer.beginTransaction()
    await producer.abortTransaction()
    expect(names(transport)).toEqual(['InitProducerId'])
  })

  it('sends all positions in one request, with metadata, epoch and the static member', async () => {
    const { transport, producer } = await openProducer(2)
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction(offsets, group)
    expect(transport.requests(txnOffsetCommit)).toEqual([
      {
        transactionalId: 'id',
        groupId: 'group',
        producerId: 7,
        producerEpoch: 0,
        generationId: 4,
        memberId: 'member',
        groupInstanceId: 'instance',
        topics: [
          {
            name: 'a',
            partitions: [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 2, committedMetadata: 'meta' }]
          },
          {
            name: 'b',
            partitions: [{ partitionIndex: 1, committedOffset: 6, committedLeaderEpoch: -1, committedMetadata: '' }]
          }
        ]
      }
    ])
  })

  it('asks for the coordinator again when it has moved', async () => {
    const { transport, producer } = await openProducer(2)
    let node = 1
    transport.on(findCoordinator, ({ coordinatorKeys }) => ({
      coordinators: coordinatorKeys.map((key) => ({ key, nodeId: node++ }))
    }))
    transport.inTurn(txnOffsetCommit, [() => partitionError('NOT_COORDINATOR'), () => ({})])
    transport.inTurn(endTxn, [
      () => ({ errorCode: ErrorCode.NOT_COORDINATOR }),
      () => ({ producerEpoch: 1, producerId: 7 })
    ])
    producer.beginTransaction()
    await producer.sendOffsetsToTransaction(offsets, group)
    await producer.commitTransaction()
    expect(transport.options(txnOffsetCommit).map((options) => options.node)).toEqual([1, 2])
    expect(transport.options(endTxn).map((options) => options.node)).toEqual([1, 3])
  })

  it('waits milliseconds, not a second, for the coordinator to finish the transaction before', async () => {
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const { transport, producer } = await openProducer(2, {}, environment)
    let refusals = 0
    transport.on(produce, (request) =>
      produceAnswer(request, refusals++ < 4 ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.NONE)
    )
    const startMs = world.nowMs
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await world.run(producer.commitTransaction())
    expect(refusals).toBe(5)
    expect(world.nowMs - startMs).toBeLessThan(500)
  })

  it('repeats an end whose answer was lost with the epoch it had', async () => {
    const { transport, producer } = await openProducer(2)
    transport.inTurn(endTxn, [
      () => Promise.reject(new DisconnectedError('lost')),
      () => ({ producerId: 8, producerEpoch: 0 })
    ])
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await producer.commitTransaction()
    expect(transport.requests(endTxn).map(({ producerEpoch }) => producerEpoch)).toEqual([0, 0])
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await producer.flush()
    const [, records] = transport.requests(produce).map(({ topicData }) => topicData[0].partitionData[0].records)
    expect(records?.[0].readInt32BE(47)).toBe(8)
  })

  it('has an unknown outcome only after asking for all of deliveryTimeoutMs', async () => {
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const { transport, producer } = await openProducer(2, { deliveryTimeoutMs: 60 }, environment)
    transport.on(endTxn, () => Promise.reject(new DisconnectedError('lost')))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await expect(world.run(producer.commitTransaction())).rejects.toThrow(UnknownOutcomeError)
    expect(transport.requests(endTxn).length).toBeGreaterThan(2)
  })
})

describe('a transaction of the first protocol', () => {
  it('adds partitions before their records, those of one turn together, and speaks no version of the second', async () => {
    const { transport, producer } = await openProducer(1)
    producer.beginTransaction()
    for (const partition of [0, 1, 2]) producer.enqueue('a', partition, null, Buffer.from('v'), 1)
    await producer.sendOffsetsToTransaction(offsets, group)
    await producer.commitTransaction()
    const calls = names(transport)
    expect(calls.indexOf('AddPartitionsToTxn')).toBeLessThan(calls.indexOf('Produce'))
    expect(calls.indexOf('AddOffsetsToTxn')).toBeLessThan(calls.indexOf('TxnOffsetCommit'))
    expect(transport.requests(addPartitionsToTxn).map(({ v3AndBelowTopics }) => v3AndBelowTopics)).toEqual([
      [{ name: 'a', partitions: [0, 1, 2] }]
    ])
    expect(addPartitionsToTxn.maxVersion).toBe(3)
    expect(transport.options(produce).map(({ maxVersion }) => maxVersion)).toEqual([11])
    expect(transport.options(txnOffsetCommit).map(({ maxVersion }) => maxVersion)).toEqual([4])
    expect(transport.options(endTxn).map(({ maxVersion }) => maxVersion)).toEqual([4])
  })

  it('adds a partition once in each transaction', async () => {
    const { transport, producer } = await openProducer(1)
    for (const _ of [1, 2]) {
      producer.beginTransaction()
      for (const value of ['x', 'y']) {
        producer.enqueue('a', 0, null, Buffer.from(value), 1)
        await producer.flush()
      }
      await producer.commitTransaction()
    }
    expect(names(transport).filter((name) => name === 'AddPartitionsToTxn')).toHaveLength(2)
    expect(epochs(transport)).toEqual([0, 0, 0, 0])
  })

  it('takes a new epoch after an abort, since records may have been given up, as the one it was (KIP-360)', async () => {
    const { transport, producer } = await openProducer(1)
    transport.on(produce, (request) => produceAnswer(request, ErrorCode.INVALID_TIMESTAMP))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await expect(producer.commitTransaction()).rejects.toThrow(AbortableTransactionError)
    await producer.abortTransaction()
    expect(
      transport.requests(initProducerId).map(({ producerId, producerEpoch }) => [producerId, producerEpoch])
    ).toEqual([
      [-1, -1],
      [7, 0]
    ])
    transport.on(produce, (request) => produceAnswer(request, ErrorCode.NONE))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await producer.commitTransaction()
    expect(epochs(transport)).toEqual([0, 1])
  })

  it('is chosen where a broker lacks a version of the second', async () => {
    const { transport, context } = scriptedCluster()
    transport.versions.set(endTxn.name, 4)
    transport.on(addPartitionsToTxn, () => ({ resultsByTopicV3AndBelow: [] }))
    const producer = new Producer(context, { transactionalId: 'id' })
    await producer.initTransactions()
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await producer.flush()
    expect(names(transport)).toEqual(['InitProducerId', 'AddPartitionsToTxn', 'Produce'])
  })
})

describe('what a failure means for a transactional producer', () => {
  const fenced = ['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'] as const
  const fatal = ['INVALID_TXN_STATE', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED'] as const
  const spoilt = [
    'TRANSACTION_ABORTABLE',
    'OUT_OF_ORDER_SEQUENCE_NUMBER',
    'UNKNOWN_PRODUCER_ID',
    'INVALID_PRODUCER_EPOCH',
    'INVALID_TIMESTAMP'
  ] as const
  const refused = [
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'REBALANCE_IN_PROGRESS',
    'FENCED_INSTANCE_ID',
    'FENCED_MEMBER_EPOCH',
    'STALE_MEMBER_EPOCH'
  ] as const

  it.each(fenced)('%s at the coordinator: fenced', async (name) => {
    const { transport, producer } = await openProducer(2)
    transport.on(endTxn, () => ({ errorCode: ErrorCode[name] }))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await expect(producer.commitTransaction()).rejects.toThrow(ProducerFencedError)
    expect(() => producer.beginTransaction()).toThrow(ProducerFencedError)
  })

  it.each(fatal)('%s at the coordinator: the producer is done', async (name) => {
    const { transport, producer } = await openProducer(2)
    transport.on(endTxn, () => ({ errorCode: ErrorCode[name] }))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await expect(producer.commitTransaction()).rejects.toThrow(FatalProducerError)
    await expect(producer.initTransactions()).rejects.toThrow(FatalProducerError)
  })

  it.each(spoilt)('%s of a batch: abort, then go on', async (name) => {
    const { transport, producer } = await openProducer(2)
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await producer.flush()
    transport.on(produce, (request) => produceAnswer(request, ErrorCode[name]))
    producer.enqueue('a', 0, null, null, 1)
    await expect(producer.flush()).rejects.toThrow(AbortableTransactionError)
    await expect(producer.commitTransaction()).rejects.toThrow(AbortableTransactionError)
    await producer.abortTransaction()
    expect(() => producer.beginTransaction()).not.toThrow()
  })

  it('PRODUCER_FENCED of a batch: fenced', async () => {
    const { transport, producer } = await openProducer(2)
    transport.on(produce, (request) => produceAnswer(request, ErrorCode.PRODUCER_FENCED))
    producer.beginTransaction()
    producer.enqueue('a', 0, null, null, 1)
    await expect(producer.commitTransaction()).rejects.toThrow(ProducerFencedError)
  })

  it.each(refused)('%s of positions: the group has moved on; abort, then go on', async (name) => {
    const { transport, producer } = await openProducer(2)
    transport.on(txnOffsetCommit, () => partitionError(name))
    producer.beginTransaction()
    const sending = producer.sendOffsetsToTransaction(offsets, group)
    const error = await sending.catch((reason) => reason)
    expect(error).toBeInstanceOf(AbortableTransactionError)
    expect(error.cause).toBeInstanceOf(CommitRefusedError)
    expect(transport.requests(txnOffsetCommit)).toHaveLength(1)
    await producer.abortTransaction()
    expect(() => producer.beginTransaction()).not.toThrow()
  })
})

function partitionError(name: ErrorName) {
  return { topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode: ErrorCode[name] }] }] }
}
