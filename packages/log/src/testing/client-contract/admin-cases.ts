import assert from 'node:assert/strict'
import { TopicExistsError, UnknownTopicError } from '../../client/errors.ts'
import { bytes } from './client-scene.ts'
import type { ClientCase } from './produce-cases.ts'

/** Topics, configurations, the cluster. */
export const adminCases: readonly ClientCase[] = [
  [
    'creates topics each on its own, and says which one exists',
    async (scene) => {
      const admin = scene.admin()
      const [first, second] = [scene.name('topic'), scene.name('topic')]
      const [made] = await admin.createTopics([{ name: first, partitions: 2 }])
      assert.equal(made.error, undefined)
      const outcomes = await admin.createTopics([{ name: first }, { name: second, partitions: 1 }])
      const byName = new Map(outcomes.map((outcome) => [outcome.name, outcome.error]))
      assert.ok(byName.get(first) instanceof TopicExistsError)
      assert.equal(byName.get(second), undefined)
      assert.equal((await admin.ensureTopic({ name: first, partitions: 9 })).partitions.length, 2)
    }
  ],
  [
    'describes, lists and deletes topics; one made again has another id',
    async (scene) => {
      const admin = scene.admin()
      const topic = await scene.topic(3)
      const before = (await admin.describeTopics([topic])).get(topic)
      assert.equal(before?.partitions.length, 3)
      assert.ok((await admin.listTopics()).some(({ name }) => name === topic))
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('old') })
      const [deleted] = await admin.deleteTopics([topic])
      assert.equal(deleted.error, undefined)
      await assert.rejects(admin.describeTopics([topic]), UnknownTopicError)
      const [again] = await admin.deleteTopics([topic])
      assert.ok(again.error instanceof UnknownTopicError)
      const after = await admin.ensureTopic({ name: topic, partitions: 1 })
      assert.notEqual(after.topicId, before?.topicId)
      await scene.producer().send({ topic, partition: 0, key: null, value: bytes('new') })
      assert.deepEqual(await scene.values(topic), ['new'])
    }
  ],
  [
    'describes configurations, set ones and defaults',
    async (scene) => {
      const topic = await scene.topic(1, { 'cleanup.policy': 'compact' })
      const configs = await scene.admin().describeConfigs({ type: 'topic', name: topic })
      assert.equal(configs.get('cleanup.policy')?.value, 'compact')
      assert.equal(configs.get('cleanup.policy')?.isDefault, false)
      assert.equal(configs.get('delete.retention.ms')?.value, '86400000')
      const unknown = { type: 'topic', name: scene.name('missing') } as const
      await assert.rejects(scene.admin().describeConfigs(unknown), UnknownTopicError)
    }
  ],
  [
    'deletes records up to an offset, or up to the high watermark',
    async (scene) => {
      const topic = await scene.topic(2)
      const producer = scene.producer()
      for (let index = 0; index < 8; index++) producer.enqueue(topic, index % 2, null, bytes('v'), index)
      await producer.flush()
      const points = [
        { topic, partition: 0, beforeOffset: 3 },
        { topic, partition: 1, beforeOffset: -1 }
      ]
      const starts = await scene.admin().deleteRecords(points)
      assert.deepEqual([starts.get(`${topic}-0`), starts.get(`${topic}-1`)], [3, 4])
      const earliest = points.map(({ partition }) => ({ topic, partition, at: 'earliest' as const }))
      const listed = await scene.admin().listOffsets(earliest)
      assert.deepEqual(
        [...listed.values()].map(({ offset }) => offset),
        [3, 4]
      )
    }
  ],
  [
    'describes the cluster',
    async (scene) => {
      const cluster = await scene.admin().describeCluster()
      assert.match(cluster.clusterId, /^[\w-]{22}$/)
      assert.ok(cluster.brokers.length > 0)
    }
  ]
]
