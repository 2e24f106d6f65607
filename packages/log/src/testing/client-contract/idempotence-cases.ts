import assert from 'node:assert/strict'
import { DeliveryError } from '../../client/errors.ts'
import { produce } from '../../wire/messages/index.ts'
import { nextRequests } from '../faulty-transport.ts'
import { SeededRandom } from '../seeded-random.ts'
import { bytes, type SeenRecord } from './client-scene.ts'
import type { ClientCase } from './produce-cases.ts'

/** No machine is so slow that it is over before the clock is put forward. */
const DELIVERY_TIMEOUT_MS = 120_000

/** Each record once and in order, whatever happens on the way. */
export const idempotenceCases: readonly ClientCase[] = [
  ...(['lose-request', 'lose-answer', 'duplicate'] as const).map(
    (fault): ClientCase => [
      `writes each record once when the network does this to a request: ${fault}`,
      async (scene) => {
        const topic = await scene.topic()
        const producer = scene.producer()
        await producer.send({ topic, partition: 0, key: null, value: bytes('first') })
        scene.network.plan(nextRequests(produce, fault))
        const place = await producer.send({ topic, partition: 0, key: null, value: bytes('second') })
        assert.equal(place.offset, 1)
        assert.equal((await producer.send({ topic, partition: 0, key: null, value: bytes('third') })).offset, 2)
        assert.deepEqual(await scene.values(topic), ['first', 'second', 'third'])
      }
    ]
  ),
  [
    'repeats a batch that the broker has stamped with its time of append',
    async (scene) => {
      const topic = await scene.topic(1, { 'message.timestamp.type': 'LogAppendTime' })
      const producer = scene.producer()
      scene.network.plan(nextRequests(produce, 'lose-answer', 3))
      await producer.send({ topic, partition: 0, key: null, value: bytes('once'), timestamp: 5 })
      assert.deepEqual(await scene.values(topic), ['once'])
    }
  ],
  ...[1, 2, 3].map(
    (seed): ClientCase => [
      `keeps the order of five requests under way while some are lost, over several partitions (seed ${seed})`,
      async (scene) => {
        const topic = await scene.topic(3)
        const producer = scene.producer({ batchBytes: 200 })
        const random = new SeededRandom(seed)
        const faults = ['lose-request', 'lose-answer', 'duplicate', { delayMs: 3 }] as const
        scene.network.plan((api) =>
          api === produce && random.uint32() % 3 === 0 ? faults[random.uint32() % faults.length] : undefined
        )
        const count = 150
        for (let index = 0; index < count; index++) {
          producer.enqueue(topic, index % 3, null, bytes(`${index}`.padEnd(60, '.')), index)
          if (index % 20 === 0) await scene.turn()
        }
        await producer.flush()
        scene.network.heal()
        const seen = await scene.read(topic, {}, [0, 1, 2])
        for (let partition = 0; partition < 3; partition++) {
          const times = seen.filter((record) => record.partition === partition).map(({ timestamp }) => timestamp)
          const expected = Array.from({ length: count / 3 }, (_, index) => index * 3 + partition)
          assert.deepEqual(times, expected)
        }
      }
    ]
  ),
  [
    'goes on with a new epoch after records were given up, without a gap and without writing one twice',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
      await producer.send({ topic, partition: 0, key: null, value: bytes('first') })
      scene.network.plan((api) => (api === produce ? 'lose-answer' : undefined))
      const lost = producer.send({ topic, partition: 0, key: null, value: bytes('doubtful') })
      await Promise.all([
        assert.rejects(lost, (error) => error instanceof DeliveryError && error.timedOut),
        scene.putForwardDuring(produce, DELIVERY_TIMEOUT_MS)
      ])
      scene.network.heal()
      await producer.send({ topic, partition: 0, key: null, value: bytes('next') })
      await producer.send({ topic, partition: 0, key: null, value: bytes('last') })
      assert.deepEqual(await scene.values(topic), ['first', 'doubtful', 'next', 'last'])
    }
  ],
  [
    'reports at flush the loss of records that nobody awaited, once',
    async (scene) => {
      const topic = await scene.topic()
      const producer = scene.producer({ deliveryTimeoutMs: DELIVERY_TIMEOUT_MS })
      scene.network.plan((api) => (api === produce ? 'lose-request' : undefined))
      producer.enqueue(topic, 0, null, bytes('lost'), 1)
      await Promise.all([
        assert.rejects(producer.flush(), DeliveryError),
        scene.putForwardDuring(produce, DELIVERY_TIMEOUT_MS)
      ])
      scene.network.heal()
      producer.enqueue(topic, 0, null, bytes('kept'), 1)
      await producer.flush()
      assert.deepEqual(await scene.values(topic), ['kept'])
    }
  ],
  [
    'works without idempotence and without acknowledgements',
    async (scene) => {
      const topic = await scene.topic()
      for (const acks of [1, 0] as const) {
        const producer = scene.producer({ idempotent: false, acks })
        const { offset } = await producer.send({ topic, partition: 0, key: null, value: bytes(`acks ${acks}`) })
        if (acks === 1) assert.equal(offset, 0)
      }
      const consumer = scene.consumer()
      consumer.assign([{ topic, partition: 0 }])
      const seen: SeenRecord[] = []
      await scene.pollUntil(
        [consumer],
        () => seen.length === 2,
        (more) => seen.push(...more)
      )
      assert.deepEqual(
        seen.map(({ value }) => value),
        ['acks 1', 'acks 0']
      )
    }
  ]
]
