import assert from 'node:assert/strict'
import {
  AbortableTransactionError,
  RecordTooLargeError,
  UnknownPartitionError,
  UnknownTopicError
} from '../../client/errors.ts'
import { UsageError } from '../../errors.ts'
import { metadata } from '../../wire/messages/index.ts'
import { bytes, type ClientScene } from './client-scene.ts'

/** A named case, run on a stage of its own. */
export type ClientCase = readonly [name: string, run: (scene: ClientScene) => Promise<void>]

/** Records go in and come out the same. */
export const produceCases: readonly ClientCase[] = [
  [
    'carries keys, values, headers, timestamps, and nulls for each of them',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer()
      const headers = [
        { key: 'a', value: bytes('1') },
        { key: 'a', value: null },
        { key: 'ü', value: bytes('') }
      ]
      await producer.send({
        topic,
        partition: 0,
        key: bytes('k'),
        value: bytes('v'),
        timestamp: 1_700_000_000_123,
        headers
      })
      await producer.send({ topic, partition: 0, key: null, value: null, timestamp: 0 })
      await producer.send({ topic, partition: 0, key: bytes(''), value: bytes(''), timestamp: 7 })
      assert.deepEqual(await scene.read(topic), [
        { partition: 0, offset: 0, timestamp: 1_700_000_000_123, key: 'k', value: 'v', headers },
        { partition: 0, offset: 1, timestamp: 0, key: null, value: null, headers: [] },
        { partition: 0, offset: 2, timestamp: 7, key: '', value: '', headers: [] }
      ])
    }
  ],
  ...(['gzip', 'snappy', 'lz4', 'zstd'] as const).map(
    (compression): ClientCase => [
      `carries batches compressed with ${compression}`,
      async (scene) => {
        const topic = await scene.topic()
        const producer = scene.producer({ compression })
        const values = Array.from({ length: 500 }, (_, index) => `value ${index} ${'x'.repeat(index % 50)}`)
        for (const value of values) producer.enqueue(topic, 0, null, bytes(value), 1)
        await producer.flush()
        assert.deepEqual(await scene.values(topic), values)
      }
    ]
  ),
  [
    'answers each send with its own place, in order, whatever shares its batch',
    async (scene) => {
      const topic = await scene.topic(2)
      const producer = scene.producer()
      const sends = Array.from({ length: 40 }, (_, index) =>
        producer.send({ topic, partition: index % 2, key: null, value: bytes(String(index)), timestamp: index })
      )
      const places = await Promise.all(sends)
      places.forEach((place, index) => {
        assert.deepEqual(place, { topic, partition: index % 2, offset: Math.floor(index / 2), timestamp: index })
      })
      assert.equal(producer.lastOffset(topic, 0), 19)
      assert.equal(producer.lastOffset(topic, 1), 19)
      assert.equal(producer.bufferedBytes, 0)
    }
  ],
  [
    'chooses the partition of a key as the Java client does',
    async (scene) => {
      const topic = await scene.topic(7)
      const producer = scene.producer()
      const send = (key: string) => producer.send({ topic, key: bytes(key), value: null })
      const keys = ['21', 'foobar', 'a-little-bit-long-string', 'a-little-bit-longer-string', 'abc']
      const places = await Promise.all(keys.map(send))
      // Java: Utils.toPositive(Utils.murmur2(key)) % 7, with the hashes that its own tests list.
      const hashes = [-973_932_308, -790_332_482, -985_981_536, -1_486_304_829, 479_470_107]
      const expected = hashes.map((hash) => (hash & 0x7fff_ffff) % 7)
      assert.deepEqual(
        places.map(({ partition }) => partition),
        expected
      )
    }
  ],
  [
    'refuses a partition that the topic does not have, soon, and says how many it has',
    async (scene) => {
      const topic = await scene.topic(3)
      const producer = scene.producer()
      const beganMs = scene.environment.clock.monotonicMs()
      const sent = producer.send({ topic, partition: 3, key: null, value: bytes('nowhere') })
      await assert.rejects(sent, (error: unknown) => {
        assert.ok(error instanceof UnknownPartitionError)
        assert.deepEqual([error.topic, error.partition, error.partitions], [topic, 3, 3])
        return true
      })
      producer.enqueue(topic, 7, null, bytes('nowhere'), 1)
      await assert.rejects(producer.flush(), UnknownPartitionError)
      assert.ok(scene.environment.clock.monotonicMs() - beganMs < 5_000)
      assert.equal(producer.bufferedBytes, 0)
      assert.equal((await producer.send({ topic, partition: 2, key: null, value: bytes('here') })).offset, 0)
    }
  ],
  [
    'a transaction with a record for a partition that is not there can only be aborted',
    async (scene) => {
      const topic = await scene.topic()
      const producer = await scene.transactional()
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('aborted'), 1)
      producer.enqueue(topic, 1, null, bytes('nowhere'), 1)
      await assert.rejects(producer.commitTransaction(), AbortableTransactionError)
      await producer.abortTransaction()
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('committed'), 1)
      await producer.commitTransaction()
      assert.deepEqual(await scene.values(topic, { isolation: 'read_committed' }), ['committed'])
    }
  ],
  [
    'splits what it is given into batches, and batches that a topic finds too large',
    async (scene) => {
      const topic = await scene.topic(1, { 'max.message.bytes': '2000' })
      const producer = scene.producer({ batchBytes: 16_384 })
      const values = Array.from({ length: 60 }, (_, index) => `${index}`.padEnd(400, '.'))
      const sends = values.map((value) => producer.send({ topic, partition: 0, key: null, value: bytes(value) }))
      const places = await Promise.all(sends)
      assert.deepEqual(
        places.map(({ offset }) => offset),
        values.map((_, index) => index)
      )
      assert.deepEqual(await scene.values(topic), values)
      const tooLarge = producer.send({ topic, partition: 0, key: null, value: Buffer.alloc(3_000) })
      await assert.rejects(tooLarge, RecordTooLargeError)
      assert.equal((await producer.send({ topic, partition: 0, key: null, value: bytes('after') })).offset, 60)
    }
  ],
  [
    'refuses a record larger than a request before it takes it',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer({ batchBytes: 1_000, maxRequestBytes: 2_000 })
      const value = Buffer.alloc(2_000)
      await assert.rejects(producer.send({ topic, partition: 0, key: null, value }), RecordTooLargeError)
      assert.throws(() => producer.enqueue(topic, 0, null, value, 1), RecordTooLargeError)
      assert.equal(producer.bufferedBytes, 0)
    }
  ],
  [
    'waits with send while the buffer is full, and keeps the order',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer({ batchBytes: 1_000, bufferBytes: 2_000 })
      const values = Array.from({ length: 50 }, (_, index) => `${index}`.padEnd(300, '.'))
      await Promise.all(values.map((value) => producer.send({ topic, partition: 0, key: null, value: bytes(value) })))
      assert.deepEqual(await scene.values(topic), values)
    }
  ],
  [
    'gives up a topic that never comes, naming it',
    async (scene) => {
      const requestTimeoutMs = 60_000
      const consumer = scene.consumer({ requestTimeoutMs })
      const topic = scene.name('missing')
      await Promise.all([
        assert.rejects(
          consumer.endOffsets([{ topic, partition: 0 }]),
          (error) => error instanceof UnknownTopicError && error.topic === topic
        ),
        scene.putForwardDuring(metadata, requestTimeoutMs)
      ])
    }
  ],
  [
    'refuses work once it is closed',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer()
      const sent = producer.send({ topic, partition: 0, key: null, value: bytes('last') })
      await producer.close()
      await sent
      await assert.rejects(producer.send({ topic, partition: 0, key: null, value: null }), UsageError)
      assert.throws(() => producer.enqueue(topic, 0, null, null, 1), UsageError)
      assert.deepEqual(await scene.values(topic), ['last'])
    }
  ],
  [
    'honours the time of append where the topic asks for it',
    async (scene) => {
      const topic = await scene.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
      const producer = scene.producer()
      const beforeMs = scene.environment.clock.nowMs()
      const { timestamp } = await producer.send({ topic, partition: 0, key: null, value: bytes('v'), timestamp: 5 })
      assert.ok(timestamp >= beforeMs)
      const [seen] = await scene.read(topic)
      assert.equal(seen.timestamp, timestamp)
    }
  ]
]
