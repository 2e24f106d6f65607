import assert from 'node:assert/strict'
import { type Assignor, cooperativeStickyAssignor, roundRobinAssignor } from '../../client/consumer/assignor.ts'
import type { Consumer } from '../../client/consumer/consumer.ts'
import type { ConsumerOptions } from '../../client/consumer/consumer-options.ts'
import { CommitRefusedError, GroupMembershipError } from '../../client/errors.ts'
import type { TopicPartition } from '../../client/topic-partition.ts'
import { UsageError } from '../../errors.ts'
import { offsetCommit } from '../../wire/messages/index.ts'
import { bytes, type SeenRecord } from './client-scene.ts'
import type { ClientCase } from './produce-cases.ts'

/** Heartbeats often, so that a rebalance is noticed at once. */
const quick: ConsumerOptions = { heartbeatIntervalMs: 10, fetchMaxWaitMs: 20 }

/** Sharing partitions in a group. */
export const groupCases: readonly ClientCase[] = [
  [
    'gives all partitions to a single member, and its positions to its successor',
    async (scene) => {
      const topic = await scene.topic(3)
      const groupId = scene.name('group')
      const producer = scene.producer()
      for (let index = 0; index < 9; index++) producer.enqueue(topic, index % 3, null, bytes(`${index}`), index)
      await producer.flush()
      const first = scene.consumer({ ...quick, groupId })
      first.subscribe([topic])
      const seen: SeenRecord[] = []
      await scene.pollUntil(
        [first],
        () => seen.length === 9,
        (more) => seen.push(...more)
      )
      await first.commit([0, 1, 2].map((partition) => ({ topic, partition, offset: 2, metadata: 'two' })))
      const committed = await first.committed([{ topic, partition: 1 }])
      assert.deepEqual(committed, new Map([[`${topic}-1`, { offset: 2, leaderEpoch: -1, metadata: 'two' }]]))
      await first.close()
      const second = scene.consumer({ ...quick, groupId })
      second.subscribe([topic])
      const again: SeenRecord[] = []
      await scene.pollUntil(
        [second],
        () => again.length === 3,
        (more) => again.push(...more)
      )
      assert.deepEqual(
        again.map(({ offset }) => offset),
        [2, 2, 2]
      )
    }
  ],
  [
    'shares partitions anew when a member comes, waiting for the work of the others, and when one leaves',
    async (scene) => {
      const topic = await scene.topic(4)
      const groupId = scene.name('group')
      const story: string[] = []
      const first = scene.consumer({ ...quick, groupId })
      first.subscribe([topic], {
        onRevoked: async (partitions) => {
          story.push(`revoking ${partitions.length}`)
          await scene.turn()
          await first.commit([{ topic, partition: 3, offset: 7 }])
          story.push('revoked')
        },
        onAssigned: (partitions) => {
          story.push(`assigned ${partitions.length}`)
        }
      })
      await scene.pollUntil([first], () => first.assignment().length === 4)
      const second = scene.consumer({ ...quick, groupId })
      second.subscribe([topic], {
        onAssigned: (partitions) => {
          story.push(`other assigned ${partitions.length}`)
        }
      })
      const shared = () => first.assignment().length === 2 && second.assignment().length === 2
      await scene.pollUntil([first, second], shared)
      assert.deepEqual(story.slice(0, 3), ['assigned 4', 'revoking 4', 'revoked'])
      assert.deepEqual(story.slice(3).sort(), ['assigned 2', 'other assigned 2'])
      assert.equal((await first.committed([{ topic, partition: 3 }])).get(`${topic}-3`)?.offset, 7)
      await second.close()
      await scene.pollUntil([first], () => first.assignment().length === 4)
    }
  ],
  [
    'reads other topics from the next generation on when it asks for them, and shares them with who wants them too',
    async (scene) => {
      const [a, b] = [await scene.topic(2), await scene.topic(2)]
      const groupId = scene.name('group')
      const topicsOf = (consumer: Consumer) => new Set(consumer.assignment().map(({ topic }) => topic))
      const [first, second] = [scene.consumer({ ...quick, groupId }), scene.consumer({ ...quick, groupId })]
      assert.throws(() => first.resubscribe([a]), UsageError)
      first.subscribe([a])
      second.subscribe([a])
      await scene.pollUntil([first, second], () => first.assignment().length + second.assignment().length === 2)
      second.resubscribe([a, b])
      // The one that has its new share first does not say that the other one has.
      await scene.pollUntil([first, second], () => topicsOf(second).size === 2 && topicsOf(first).size > 0)
      assert.deepEqual(topicsOf(first), new Set([a]))
      first.resubscribe([b])
      await scene.pollUntil([first, second], () => topicsOf(first).has(b) && topicsOf(second).size === 2)
      assert.deepEqual(topicsOf(first), new Set([b]))
    }
  ],
  [
    'moves only what has to move under the cooperative protocol, and never to two members at once',
    async (scene) => {
      const topic = await scene.topic(6)
      const groupId = scene.name('group')
      const held = new Map<string, string>()
      const revoked: number[] = []
      const join = (name: string): Consumer => {
        const consumer = scene.consumer({ ...quick, groupId })
        consumer.subscribe([topic], {
          assignor: cooperativeStickyAssignor,
          onAssigned: (partitions) => {
            for (const { partition } of partitions) {
              assert.equal(held.get(`${partition}`), undefined, `partition ${partition} is held twice`)
              held.set(`${partition}`, name)
            }
          },
          onRevoked: (partitions) => {
            if (name === 'first') revoked.push(partitions.length)
            for (const { partition } of partitions) held.delete(`${partition}`)
          }
        })
        return consumer
      }
      const first = join('first')
      await scene.pollUntil([first], () => first.assignment().length === 6)
      const second = join('second')
      await scene.pollUntil([first, second], () => held.size === 6 && second.assignment().length === 3)
      assert.deepEqual(revoked, [3])
      assert.equal(first.assignment().length, 3)
    }
  ],
  [
    'lets an assignor of one’s own decide, with user data both ways, for a single member too',
    async (scene) => {
      const topic = await scene.topic(4)
      const groupId = scene.name('group')
      const told: string[] = []
      const join = (wants: string): Consumer => {
        const consumer = scene.consumer({ ...quick, groupId })
        consumer.subscribe([topic], { assignor: byWish(wants, (userData) => told.push(`${wants}: ${userData}`)) })
        return consumer
      }
      const odd = join('1')
      await scene.pollUntil([odd], () => odd.assignment().length > 0)
      assert.deepEqual(numbers(odd), [1, 3])
      const even = join('0')
      await scene.pollUntil([odd, even], () => even.assignment().length > 0 && odd.assignment().length > 0)
      assert.deepEqual(
        [numbers(even), numbers(odd)],
        [
          [0, 2],
          [1, 3]
        ]
      )
      assert.deepEqual([...new Set(told)].sort(), ['0: for 0 of 2', '1: for 1 of 1', '1: for 1 of 2'])
    }
  ],
  [
    'keeps the place of a static member over a restart, without a rebalance',
    async (scene) => {
      const topic = await scene.topic(4)
      const groupId = scene.name('group')
      const join = (groupInstanceId: string, revoked = () => {}): Consumer => {
        const consumer = scene.consumer({ ...quick, groupId, groupInstanceId })
        consumer.subscribe([topic], { onRevoked: revoked })
        return consumer
      }
      let rebalances = 0
      const stays = join('a', () => {
        rebalances++
      })
      const leaves = join('b')
      await scene.pollUntil([stays, leaves], () => stays.assignment().length === 2 && leaves.assignment().length === 2)
      const before = rebalances
      const { generationId } = stays.groupMetadata()
      const had = numbers(leaves)
      await leaves.close()
      const back = join('b')
      await scene.pollUntil([stays, back], () => back.assignment().length === 2)
      assert.deepEqual(numbers(back), had)
      assert.equal(back.groupMetadata().generationId, generationId)
      assert.equal(rebalances, before)
      await back.commit([{ topic, partition: had[0], offset: 1 }])
    }
  ],
  [
    'turns away the older of two consumers that claim to be one static member',
    async (scene) => {
      const topic = await scene.topic()
      const groupId = scene.name('group')
      const options = { ...quick, groupId, groupInstanceId: 'twin' }
      const older = scene.consumer(options)
      older.subscribe([topic])
      await scene.pollUntil([older], () => older.assignment().length === 1)
      const younger = scene.consumer(options)
      younger.subscribe([topic])
      await scene.pollUntil([younger], () => younger.assignment().length === 1)
      await assert.rejects(older.commit([{ topic, partition: 0, offset: 1 }]), CommitRefusedError)
      await assert.rejects(
        scene.pollUntil([older], () => false),
        GroupMembershipError
      )
    }
  ],
  [
    'does not commit again, as somebody else, what the group has refused',
    async (scene) => {
      const topic = await scene.topic()
      const groupId = scene.name('group')
      const lost: TopicPartition[][] = []
      const maxPollIntervalMs = 300_000
      const consumer = scene.consumer({ ...quick, groupId, maxPollIntervalMs })
      consumer.subscribe([topic], { onLost: (partitions) => void lost.push([...partitions]) })
      await scene.pollUntil([consumer], () => consumer.assignment().length === 1)
      const rival = scene.consumer({ ...quick, groupId })
      rival.subscribe([topic])
      // Not polled any more, the first one leaves and the rival is given the partition.
      scene.putForward(maxPollIntervalMs)
      await scene.pollUntil([rival], () => rival.assignment().length === 1)
      await rival.commit([{ topic, partition: 0, offset: 5 }])
      const commits = scene.network.sent.get(offsetCommit.name) ?? 0
      await assert.rejects(consumer.commit([{ topic, partition: 0, offset: 2 }]), CommitRefusedError)
      assert.equal(scene.network.sent.get(offsetCommit.name), commits + 1)
      assert.equal((await rival.committed([{ topic, partition: 0 }])).get(`${topic}-0`)?.offset, 5)
      await rival.close()
      await scene.pollUntil([consumer], () => consumer.assignment().length === 1 && lost.length > 0)
      assert.deepEqual(lost, [[{ topic, partition: 0 }]])
    }
  ],
  [
    'deals out a topic that is made after the group came together',
    async (scene) => {
      const topic = scene.name('topic')
      const consumer = scene.consumer({ ...quick, groupId: scene.name('group') })
      consumer.subscribe([topic], { assignor: roundRobinAssignor })
      await scene.pollUntil([consumer], () => consumer.groupMetadata().generationId > 0)
      assert.deepEqual(consumer.assignment(), [])
      await scene.admin().ensureTopic({ name: topic, partitions: 2 })
      await scene.pollUntil([consumer], () => consumer.assignment().length === 2)
    }
  ],
  [
    'fences positions in a transaction by the member’s generation',
    async (scene) => {
      const topic = await scene.topic(2)
      const groupId = scene.name('group')
      const first = scene.consumer({ ...quick, groupId })
      first.subscribe([topic])
      await scene.pollUntil([first], () => first.assignment().length === 2)
      const old = first.groupMetadata()
      const second = scene.consumer({ ...quick, groupId })
      second.subscribe([topic])
      await scene.pollUntil([first, second], () => second.assignment().length === 1 && first.assignment().length === 1)
      const producer = await scene.transactional()
      producer.beginTransaction()
      await assert.rejects(producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 1 }], old))
      await producer.abortTransaction()
      producer.beginTransaction()
      await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 2 }], first.groupMetadata())
      await producer.commitTransaction()
      assert.equal((await first.committed([{ topic, partition: 0 }])).get(`${topic}-0`)?.offset, 2)
    }
  ],
  [
    'says what is missing or mixed up',
    async (scene) => {
      const topic = await scene.topic()
      assert.throws(() => scene.consumer().subscribe([topic]), UsageError)
      const subscribed = scene.consumer({ groupId: scene.name('group') })
      subscribed.subscribe([topic])
      assert.throws(() => subscribed.assign([{ topic, partition: 0 }]), UsageError)
      assert.throws(() => scene.consumer().groupMetadata(), UsageError)
    }
  ]
]

/** Every member wants the partitions with its remainder; the leader tells each one how many there are. */
function byWish(wants: string, told: (userData: string) => void): Assignor {
  return {
    name: 'by-wish',
    protocol: 'eager',
    userData: () => bytes(wants),
    assign: (members, partitionCounts) =>
      new Map(
        members.map(({ memberId, userData, topics }) => {
          const remainder = Number(String(userData))
          const [topic] = topics
          const all = Array.from({ length: partitionCounts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition }))
          const partitions = all.filter(({ partition }) => partition % 2 === remainder)
          return [memberId, { partitions, userData: bytes(`for ${remainder} of ${members.length}`) }]
        })
      ),
    onAssignment: (userData) => told(String(userData))
  }
}

function numbers(consumer: Consumer): number[] {
  return consumer
    .assignment()
    .map(({ partition }) => partition)
    .sort()
}
