import assert from 'node:assert/strict'
import type { FetchedPartition } from '../../client/consumer/consumer-options.ts'
import { OffsetOutOfRangeError } from '../../client/errors.ts'
import { UsageError } from '../../errors.ts'
import { fetch } from '../../wire/messages/index.ts'
import { bytes, type ClientScene, PATIENCE_MS, records } from './client-scene.ts'
import type { ClientCase } from './produce-cases.ts'

/** Longer than any case is let run. */
const FOREVER_MS = 3_600_000

/** Reading assigned partitions. */
export const consumeCases: readonly ClientCase[] = [
  [
    'hands over whole batches, the first one even when it begins before the position',
    async (scene) => {
      const topic = await filled(scene, 10)
      const consumer = scene.consumer()
      const place = { topic, partition: 0 }
      consumer.assign([place])
      consumer.seek(place, 4)
      const [fetched] = await consumer.poll(PATIENCE_MS)
      assert.equal(fetched.position, 4)
      assert.equal(fetched.nextOffset, 10)
      assert.equal(fetched.batches[0].baseOffset, 0)
      assert.equal(fetched.batches[0].recordCount, 10)
      assert.equal(fetched.highWatermark, 10)
      assert.equal(fetched.lastStableOffset, 10)
      assert.equal(consumer.position(place), 10)
      assert.deepEqual(offsets([fetched]), [4, 5, 6, 7, 8, 9])
    }
  ],
  [
    'moves the position over markers and aborted batches, and says so with no batches',
    async (scene) => {
      const topic = await scene.topic()
      const place = { topic, partition: 0 }
      const producer = await scene.transactional()
      producer.beginTransaction()
      producer.enqueue(topic, 0, null, bytes('aborted'), 1)
      await producer.flush()
      await producer.abortTransaction()
      await scene.decided(topic)
      const consumer = scene.consumer()
      consumer.assign([place])
      const moved: FetchedPartition[] = []
      const end = (await consumer.endOffsets([place])).get(`${topic}-0`)
      while (consumer.position(place) !== end) moved.push(...(await consumer.poll(1_000)))
      assert.equal(end, 2)
      assert.deepEqual(
        moved.flatMap(({ batches }) => batches),
        []
      )
    }
  ],
  [
    'seeks, also away from what was fetched ahead',
    async (scene) => {
      const topic = await filled(scene, 5)
      const consumer = scene.consumer()
      const place = { topic, partition: 0 }
      consumer.assign([place])
      assert.deepEqual(offsets(await consumer.poll(PATIENCE_MS)), [0, 1, 2, 3, 4])
      for (const offset of [3, 0, 4]) {
        consumer.seek(place, offset)
        assert.equal(consumer.position(place), offset)
        const seen = offsets(await consumer.poll(PATIENCE_MS))
        assert.equal(seen[0], offset)
      }
      assert.throws(() => consumer.seek({ topic, partition: 1 }, 0), UsageError)
      assert.throws(() => consumer.seek(place, -1), UsageError)
    }
  ],
  [
    'pauses and resumes single partitions, and keeps what was fetched ahead for one that is paused',
    async (scene) => {
      const topic = await scene.topic(2)
      const producer = scene.producer()
      const places = [0, 1].map((partition) => ({ topic, partition }))
      for (const { partition } of places) producer.enqueue(topic, partition, null, bytes('v'), 1)
      await producer.flush()
      const consumer = scene.consumer({ fetchMaxWaitMs: 20 })
      consumer.assign(places)
      consumer.pause([places[1]])
      const first = await consumer.poll(PATIENCE_MS)
      assert.deepEqual(
        first.map(({ partition }) => partition),
        [0]
      )
      assert.deepEqual(await consumer.poll(60), [])
      consumer.resume([places[1]])
      const second = await consumer.poll(PATIENCE_MS)
      assert.deepEqual(
        second.map(({ partition }) => partition),
        [1]
      )
    }
  ],
  [
    'does not hold a resumed partition up behind the long poll of another one',
    async (scene) => {
      const topic = await scene.topic(2)
      const places = [0, 1].map((partition) => ({ topic, partition }))
      await scene.producer().send({ topic, partition: 1, key: null, value: bytes('v') })
      // Longer than the poll for the other one: were that held up, it would bring nothing.
      const consumer = scene.consumer({ fetchMaxWaitMs: 2 * PATIENCE_MS })
      consumer.assign(places)
      consumer.pause([places[1]])
      while (!scene.network.sent.has(fetch.name)) assert.deepEqual(await consumer.poll(50), [])
      consumer.resume([places[1]])
      assert.deepEqual(offsets(await consumer.poll(PATIENCE_MS)), [0])
    }
  ],
  [
    'is woken while it waits, or before, and then waits again',
    async (scene) => {
      const topic = await scene.topic()
      const consumer = scene.consumer()
      consumer.assign([{ topic, partition: 0 }])
      // Nobody would see the end of these polls otherwise.
      const waiting = consumer.poll(FOREVER_MS)
      consumer.wakeup()
      assert.deepEqual(await waiting, [])
      consumer.wakeup()
      assert.deepEqual(await consumer.poll(FOREVER_MS), [])
      const again = consumer.poll(FOREVER_MS)
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('v') })
      assert.deepEqual(offsets(await again), [0])
    }
  ],
  [
    'sees what is written while it waits',
    async (scene) => {
      const topic = await scene.topic()
      const consumer = scene.consumer()
      consumer.assign([{ topic, partition: 0 }])
      const polled = consumer.poll(PATIENCE_MS)
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('late') })
      assert.deepEqual(
        records(await polled).map(({ value }) => value),
        ['late']
      )
      await assert.rejects(async () => {
        const first = consumer.poll(10)
        await consumer.poll(10).finally(() => first)
      }, UsageError)
    }
  ],
  [
    'starts at the first offset, at the end, or nowhere, as offsetReset says',
    async (scene) => {
      const topic = await filled(scene, 3)
      const place = { topic, partition: 0 }
      const latest = scene.consumer({ offsetReset: 'latest', fetchMaxWaitMs: 20 })
      latest.assign([place])
      while (latest.position(place) < 0) await latest.poll(20)
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('new') })
      assert.deepEqual(offsets(await latest.poll(PATIENCE_MS)), [3])
      const none = scene.consumer({ offsetReset: 'none' })
      none.assign([place])
      await assert.rejects(
        none.poll(PATIENCE_MS),
        (error) => error instanceof OffsetOutOfRangeError && error.offset === -1
      )
      none.seek(place, 1)
      assert.deepEqual(offsets(await none.poll(PATIENCE_MS)), [1, 2, 3])
    }
  ],
  [
    'goes where offsetReset says when its position is out of range, or says so',
    async (scene) => {
      const topic = await filled(scene, 6)
      const place = { topic, partition: 0 }
      assert.deepEqual(await scene.admin().deleteRecords([{ ...place, beforeOffset: 4 }]), new Map([[`${topic}-0`, 4]]))
      const earliest = scene.consumer()
      earliest.assign([place])
      earliest.seek(place, 1)
      assert.deepEqual(offsets(await earliest.poll(PATIENCE_MS)), [4, 5])
      const none = scene.consumer({ offsetReset: 'none' })
      none.assign([place])
      none.seek(place, 1)
      await assert.rejects(
        none.poll(PATIENCE_MS),
        (error) => error instanceof OffsetOutOfRangeError && error.offset === 1
      )
    }
  ],
  [
    'finds first and last offsets, and offsets by time',
    async (scene) => {
      const topic = await scene.topic(2)
      const producer = scene.producer()
      for (const timestamp of [1_000, 2_000, 3_000]) producer.enqueue(topic, 0, null, bytes('v'), timestamp)
      await producer.flush()
      const consumer = scene.consumer()
      const places = [0, 1].map((partition) => ({ topic, partition }))
      assert.deepEqual(
        await consumer.beginningOffsets(places),
        new Map([
          [`${topic}-0`, 0],
          [`${topic}-1`, 0]
        ])
      )
      assert.deepEqual(
        await consumer.endOffsets(places),
        new Map([
          [`${topic}-0`, 3],
          [`${topic}-1`, 0]
        ])
      )
      const times = [1_500, 3_001].map((timestampMs) => ({ topic, partition: 0, timestampMs }))
      const [found, missing] = await Promise.all(times.map((time) => consumer.offsetsForTimes([time])))
      assert.deepEqual(found.get(`${topic}-0`)?.offset, 1)
      assert.deepEqual(found.get(`${topic}-0`)?.timestampMs, 2_000)
      assert.deepEqual(missing.get(`${topic}-0`)?.offset, -1)
    }
  ],
  [
    'loses and repeats nothing when fetches are lost, repeated and late',
    async (scene) => {
      const topic = await filled(scene, 200, 10)
      let asked = 0
      const faults = ['lose-request', 'lose-answer', 'duplicate', { delayMs: 2 }, undefined] as const
      scene.network.plan((api) => (api === fetch ? faults[asked++ % faults.length] : undefined))
      const seen = await scene.read(topic, { partitionMaxBytes: 100 })
      assert.deepEqual(
        seen.map(({ offset }) => offset),
        Array.from({ length: 200 }, (_, index) => index)
      )
    }
  ]
]

/** A topic of one partition with `count` records, in batches of `batchRecords`. */
async function filled(scene: ClientScene, count: number, batchRecords = count): Promise<string> {
  const topic = await scene.topic()
  const producer = scene.producer()
  for (let index = 0; index < count; index++) {
    producer.enqueue(topic, 0, null, bytes(`value ${index}`), index)
    if ((index + 1) % batchRecords === 0) await producer.flush()
  }
  await producer.flush()
  return topic
}

function offsets(fetched: readonly FetchedPartition[]): number[] {
  return records(fetched).map(({ offset }) => offset)
}
