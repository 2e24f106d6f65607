import assert from 'node:assert/strict'
import {
  AbortableTransactionError,
  CommitRefusedError,
  ProducerFencedError,
  TransactionAbortedError,
  UnknownOutcomeError
} from '../../client/errors.ts'
import type { Producer } from '../../client/producer/producer.ts'
import { UsageError } from '../../errors.ts'
import { endTxn, produce, txnOffsetCommit } from '../../wire/messages/index.ts'
import { nextRequests } from '../faulty-transport.ts'
import { bytes } from './client-scene.ts'
import type { ClientCase } from './produce-cases.ts'

/** No machine is so slow that it is over before the clock is put forward. */
const DELIVERY_TIMEOUT_MS = 120_000
const noMember = { generationId: -1, memberId: '' }

/** All or nothing, for records and for positions. */
export const transactionCases: readonly ClientCase[] = [
  [
    'shows the records of a committed transaction, over all its partitions, and none of an aborted one',
    async (scene) => {
      const topic = await scene.topic(2)
      const producer = await scene.transactional()
      producer.beginTransaction()
      for (const partition of [0, 1]) producer.enqueue(topic, partition, null, bytes('committed'), 1)
      await producer.commitTransaction()
      producer.beginTransaction()
      for (const partition of [0, 1]) producer.enqueue(topic, partition, null, bytes('aborted'), 1)
      await producer.flush()
      await producer.abortTransaction()
      const committed = await scene.read(topic, {}, [0, 1])
      assert.deepEqual(
        committed.map(({ value }) => value),
        ['committed', 'committed']
      )
      const all = await scene.read(topic, { isolation: 'read_uncommitted' })
      assert.deepEqual(
        all.map(({ value }) => value),
        ['committed', 'aborted']
      )
    }
  ],
  [
    'keeps records of an open transaction, and all that follow, from readers of committed ones',
    async (scene) => {
      const topic = await scene.topic()
      const place = { topic, partition: 0 }
      const producer = await scene.transactional()
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('open'), 1)
      await producer.flush()
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('behind') })
      const consumer = scene.consumer({ fetchMaxWaitMs: 20 })
      assert.deepEqual(await consumer.endOffsets([place]), new Map([[`${topic}-0`, 0]]))
      assert.deepEqual(await consumer.endOffsets([place], 'read_uncommitted'), new Map([[`${topic}-0`, 2]]))
      consumer.assign([place])
      assert.deepEqual(await consumer.poll(60), [])
      await producer.commitTransaction()
      assert.deepEqual(await scene.values(topic), ['open', 'behind'])
    }
  ],
  [
    'leaves out two aborted transactions of one producer that come in one answer',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional()
      for (const [value, commit] of [
        ['a', false],
        ['b', true],
        ['c', false],
        ['d', true]
      ] as const) {
        producer.beginTransaction()
        producer.enqueue(topic, 0, null, bytes(value), 1)
        await producer.flush()
        if (commit) await producer.commitTransaction()
        else await producer.abortTransaction()
      }
      assert.deepEqual(await scene.values(topic), ['b', 'd'])
    }
  ],
  [
    'leaves out an aborted transaction whose marker lies beyond the answer, batch by batch',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional(scene.name('transactional'), { batchBytes: 300 })
      const other = scene.producer()
      producer.beginTransaction()
      for (let index = 0; index < 20; index++) {
        producer.enqueue(topic, 0, null, bytes(`aborted ${index}`.padEnd(200, '.')), 1)
        if (index % 5 === 0) await other.send({ topic, partition: 0, key: null, value: bytes(`other ${index}`) })
      }
      await producer.flush()
      await producer.abortTransaction()
      // One batch an answer: the least that a broker gives.
      const values = await scene.values(topic, { partitionMaxBytes: 1 })
      assert.deepEqual(values, ['other 0', 'other 5', 'other 10', 'other 15'])
    }
  ],
  [
    'fences a producer when another one takes its id, and aborts what it had open',
    async (scene) => {
      const topic = await scene.topic()
      const id = scene.name('transactional')
      const zombie = await scene.transactional(id)
      zombie.beginTransaction()
      zombie.enqueue(topic, 0, null, bytes('zombie'), 1)
      await zombie.flush()
      const successor = await scene.transactional(id)
      await assert.rejects(zombie.commitTransaction(), ProducerFencedError)
      assert.throws(() => zombie.beginTransaction(), ProducerFencedError)
      successor.beginTransaction()
      successor.enqueue(topic, 0, null, bytes('successor'), 1)
      await successor.commitTransaction()
      assert.deepEqual(await scene.values(topic), ['successor'])
    }
  ],
  [
    'fences a zombie that only now sends its first record, without writing it',
    async (scene) => {
      const topic = await scene.topic()
      const id = scene.name('transactional')
      const zombie = await scene.transactional(id)
      zombie.beginTransaction()
      await scene.transactional(id)
      zombie.enqueue(topic, 0, null, bytes('zombie'), 1)
      await assert.rejects(endedBy(zombie), ProducerFencedError)
      assert.deepEqual(await scene.values(topic, { isolation: 'read_uncommitted' }), [])
    }
  ],
  [
    'commits a group’s positions with the transaction, and drops them with it',
    async (scene) => {
      const topic = await scene.topic()
      const groupId = scene.name('group')
      const producer = await scene.transactional()
      const offsets = (offset: number) => [{ topic, partition: 0, offset, leaderEpoch: 0, metadata: `at ${offset}` }]
      producer.beginTransaction()
      await producer.sendOffsetsToTransaction(offsets(3), { groupId, ...noMember })
      await producer.commitTransaction()
      producer.beginTransaction()
      await producer.sendOffsetsToTransaction(offsets(9), { groupId, ...noMember })
      await producer.abortTransaction()
      const committed = await scene.admin().listGroupOffsets(groupId)
      assert.deepEqual(committed, new Map([[`${topic}-0`, { offset: 3, leaderEpoch: 0, metadata: 'at 3' }]]))
    }
  ],
  [
    'waits for an open transaction’s positions before it tells the committed ones',
    async (scene) => {
      const topic = await scene.topic()
      const groupId = scene.name('group')
      const producer = await scene.transactional()
      producer.beginTransaction()
      await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 5 }], { groupId, ...noMember })
      const consumer = scene.consumer({ groupId })
      const asked = consumer.committed([{ topic, partition: 0 }])
      await producer.commitTransaction()
      assert.equal((await asked).get(`${topic}-0`)?.offset, 5)
    }
  ],
  [
    'carries several calls for positions of one transaction, under way at once',
    async (scene) => {
      const topic = await scene.topic(3)
      const groupId = scene.name('group')
      const producer = await scene.transactional()
      producer.beginTransaction()
      await Promise.all(
        [0, 1, 2].map((partition) =>
          producer.sendOffsetsToTransaction([{ topic, partition, offset: partition + 1 }], { groupId, ...noMember })
        )
      )
      await producer.commitTransaction()
      const committed = await scene.admin().listGroupOffsets(groupId)
      assert.deepEqual([...committed.values()].map(({ offset }) => offset).sort(), [1, 2, 3])
    }
  ],
  [
    'has positions of a member that the group does not know refused: abort, and go on',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional()
      const group = { groupId: scene.name('group'), generationId: 5, memberId: 'nobody' }
      producer.beginTransaction()
      const refused = producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], group)
      await assert.rejects(
        refused,
        (error) => error instanceof AbortableTransactionError && error.cause instanceof CommitRefusedError
      )
      await assert.rejects(producer.commitTransaction(), AbortableTransactionError)
      assert.throws(() => producer.enqueue(topic, 0, null, null, 1), AbortableTransactionError)
      await producer.abortTransaction()
      await commitOne(producer, topic, 'after')
      assert.deepEqual(await scene.values(topic), ['after'])
    }
  ],
  ...(['lose-request', 'lose-answer', 'duplicate'] as const).flatMap((fault): ClientCase[] =>
    [produce, txnOffsetCommit, endTxn].map(
      (api): ClientCase => [
        `commits once when the network does this to ${api.name}: ${fault}`,
        async (scene) => {
          const topic = await scene.topic()
          const groupId = scene.name('group')
          const producer = await scene.transactional()
          await commitOne(producer, topic, 'first')
          scene.network.plan(nextRequests(api, fault))
          producer.beginTransaction()
          producer.enqueue(topic, 0, null, bytes('second'), 1)
          await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 2 }], { groupId, ...noMember })
          await producer.commitTransaction()
          await commitOne(producer, topic, 'third')
          assert.deepEqual(await scene.values(topic), ['first', 'second', 'third'])
          assert.equal((await scene.admin().listGroupOffsets(groupId)).get(`${topic}-0`)?.offset, 2)
        }
      ]
    )
  ),
  [
    'says when the outcome of a commit is unknown, and learns it by asking again',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional(scene.name('transactional'), {
        deliveryTimeoutMs: DELIVERY_TIMEOUT_MS
      })
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('committed'), 1)
      await producer.flush()
      scene.network.plan((api) => (api === endTxn ? 'lose-answer' : undefined))
      await Promise.all([
        assert.rejects(producer.commitTransaction(), UnknownOutcomeError),
        scene.putForwardDuring(endTxn, DELIVERY_TIMEOUT_MS)
      ])
      await assert.rejects(async () => producer.beginTransaction(), UsageError)
      scene.network.heal()
      await producer.commitTransaction()
      await commitOne(producer, topic, 'next')
      assert.deepEqual(await scene.values(topic), ['committed', 'next'])
    }
  ],
  [
    'lets the coordinator settle a commit of unknown outcome by initializing again',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional(scene.name('transactional'), {
        deliveryTimeoutMs: DELIVERY_TIMEOUT_MS
      })
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('dropped'), 1)
      await producer.flush()
      scene.network.plan((api) => (api === endTxn ? 'lose-request' : undefined))
      await Promise.all([
        assert.rejects(producer.commitTransaction(), UnknownOutcomeError),
        scene.putForwardDuring(endTxn, DELIVERY_TIMEOUT_MS)
      ])
      scene.network.heal()
      await producer.initTransactions()
      await commitOne(producer, topic, 'next')
      assert.deepEqual(await scene.values(topic), ['next'])
    }
  ],
  [
    'goes on with the same producer after records of a transaction were lost: their numbers leave no gap',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional(scene.name('transactional'), {
        deliveryTimeoutMs: DELIVERY_TIMEOUT_MS
      })
      await commitOne(producer, topic, 'first')
      producer.beginTransaction()
      scene.network.plan((api) => (api === produce ? 'lose-request' : undefined))
      producer.enqueue(topic, 0, null, bytes('lost'), 1)
      await Promise.all([
        assert.rejects(producer.commitTransaction(), AbortableTransactionError),
        scene.putForwardDuring(produce, DELIVERY_TIMEOUT_MS)
      ])
      scene.network.heal()
      await producer.abortTransaction()
      await commitOne(producer, topic, 'second')
      await commitOne(producer, topic, 'third')
      assert.deepEqual(await scene.values(topic), ['first', 'second', 'third'])
    }
  ],
  [
    'tells those who wait for a record that its transaction was aborted',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional(scene.name('transactional'), { lingerMs: 60_000 })
      producer.beginTransaction()
      const sent = producer.send({ topic, partition: 0, key: null, value: bytes('v') })
      await Promise.all([assert.rejects(sent, TransactionAbortedError), producer.abortTransaction()])
      await commitOne(producer, topic, 'next')
      assert.deepEqual(await scene.values(topic, { isolation: 'read_uncommitted' }), ['next'])
    }
  ],
  [
    'names method and state of a call that is not legal',
    async (scene) => {
      const producer = scene.producer({ transactionalId: scene.name('transactional') })
      assert.throws(() => producer.beginTransaction(), /beginTransaction\(\) in state 'uninitialized'/)
      await producer.initTransactions()
      await assert.rejects(producer.commitTransaction(), /commitTransaction\(\) in state 'ready'/)
      assert.throws(() => producer.enqueue('topic', 0, null, null, 1), /send\(\) in state 'ready'/)
      producer.beginTransaction()
      assert.throws(() => producer.beginTransaction(), /beginTransaction\(\) in state 'inTransaction'/)
      await producer.commitTransaction()
      assert.throws(() => scene.producer().beginTransaction(), /needs a producer with a transactionalId/)
    }
  ]
]

async function commitOne(producer: Producer, topic: string, value: string): Promise<void> {
  producer.beginTransaction()
  producer.enqueue(topic, 0, null, bytes(value), 1)
  await producer.commitTransaction()
}

/** Tries to commit, and then to abort: a fenced producer learns of it at the latest then. */
async function endedBy(producer: Producer): Promise<void> {
  try {
    await producer.commitTransaction()
  } catch (error) {
    if (!(error instanceof AbortableTransactionError)) throw error
    await producer.abortTransaction()
  }
}
