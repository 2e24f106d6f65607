import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Transaction } from '../../coordinator/transactions/transaction.ts'
import { partitionFixture } from '../../partition/partition-fixture.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { defaultBrokerConfig } from '../broker-config.ts'
import { GroupHost } from './group-host.ts'
import { GroupShard } from './group-shard.ts'
import { OFFSETS_TOPIC, type PartitionDirectory } from './partition-directory.ts'
import { TransactionHost } from './transaction-host.ts'
import { TransactionShard } from './transaction-shard.ts'

const groupIds = ['g', 'h']
const producers = [1, 2]

/** Everything that a shard knows of offsets. */
function offsetsOf(shard: GroupShard): unknown {
  return groupIds.map((groupId) => ({
    committed: [...shard.offsets.committedOf(groupId)].sort(([a], [b]) => a.partition - b.partition),
    known: shard.offsets.partitionsOf(groupId),
    held: [0, 1, 2].map((partition) => shard.offsets.isHeld({ groupId, topic: 't', partition }))
  }))
}

const offsetSteps = fc.array(
  fc.record({
    what: fc.constantFrom('commit', 'hold', 'end', 'forget'),
    group: fc.constantFrom(...groupIds),
    producer: fc.constantFrom(...producers),
    partition: fc.integer({ min: 0, max: 2 }),
    flag: fc.boolean()
  }),
  { maxLength: 40 }
)

describe('a coordinator that is loaded again', () => {
  it('knows of offsets what it knew before', async () => {
    await fc.assert(
      fc.asyncProperty(offsetSteps, async (steps) => {
        const partition = await partitionFixture().open()
        const live = new GroupShard(partition, 0)
        let offset = 0
        for (const { what, group, producer, partition: index, flag } of steps) {
          const key = { groupId: group, topic: 't', partition: index }
          offset += 1
          const commits = [{ key, offset, leaderEpoch: index, metadata: `${offset}`, expireTimestampMs: -1 }]
          if (what === 'commit') await live.commit(commits, offset)
          if (what === 'hold') await live.commit(commits, offset, { producerId: producer, producerEpoch: 0 })
          if (what === 'forget' && live.offsets.get(key) !== undefined) await live.forget([key], undefined, offset)
          if (what === 'end') {
            partition.appendMarker({
              producerId: producer,
              producerEpoch: 0,
              coordinatorEpoch: 0,
              commit: flag,
              timestampMs: offset
            })
            live.offsets.endTransaction(producer, flag)
          }
        }
        expect(offsetsOf(new GroupShard(partition, 0))).toEqual(offsetsOf(live))
        await partition.close()
      }),
      { numRuns: 60 }
    )
  })

  it('knows of transactions what it knew before, and completes what was ending', async () => {
    const steps = fc.array(
      fc.record({
        what: fc.constantFrom('init', 'add', 'add', 'commit', 'abort'),
        id: fc.constantFrom('a', 'b'),
        bump: fc.boolean()
      }),
      { maxLength: 30 }
    )
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const fixture = partitionFixture()
        const partition = await fixture.open()
        const directory: PartitionDirectory = {
          get: (topic) => (topic === OFFSETS_TOPIC ? undefined : partition),
          partitionCount: () => 1,
          ensureInternalTopic: async () => undefined
        }
        const { environment } = fixture
        const report = (error: unknown): never => expect.fail(String(error))
        const shared = { environment, config: defaultBrokerConfig, partitions: directory, report }
        let next = 0
        const allocateProducerIds = async () => ({ first: next++, length: 1 })
        const host = new TransactionHost({ ...shared, allocateProducerIds, offsets: new GroupHost(shared) })
        const known = new Map<string, { producerId: number; producerEpoch: number }>()
        for (const { what, id, bump } of list) {
          const producer = { transactionalId: id, ...(known.get(id) ?? { producerId: -1, producerEpoch: -1 }) }
          if (what === 'init') {
            const expected = bump ? known.get(id) : undefined
            const answer = await host.initProducerId({
              transactionalId: id,
              timeoutMs: 1_000,
              expected,
              inProcess: bump
            })
            if (answer.errorCode === ErrorCode.NONE) known.set(id, answer)
          } else if (what === 'add') await host.addPartitions(producer, new Map([['gone', [0, 1]]]), 2)
          else {
            const answer = await host.endTransaction(producer, { commit: what === 'commit', clientVersion: 2 })
            if (answer.errorCode === ErrorCode.NONE) known.set(id, answer)
          }
        }
        // Ask once more of each, so that what was ending has ended.
        for (const id of ['a', 'b']) {
          await host.verifyPartitions({ transactionalId: id, producerId: -5, producerEpoch: 0 }, new Map())
        }
        const first = statesOf(new TransactionShard(partition))
        for (const [id, identity] of known) {
          const state = first.get(id)
          expect({ producerId: state?.producerId, producerEpoch: state?.producerEpoch }).toEqual({
            producerId: identity.producerId,
            producerEpoch: identity.producerEpoch
          })
        }
        const again = new TransactionHost({ ...shared, allocateProducerIds, offsets: new GroupHost(shared) })
        await again.start()
        for (const state of statesOf(new TransactionShard(partition)).values()) {
          // Nothing is ending, and of open transactions only those of other processes are left.
          expect(['Empty', 'CompleteCommit', 'CompleteAbort', 'Ongoing']).toContain(state.status)
          if (state.status === 'Ongoing') expect(state.inProcess).toBe(false)
        }
        host.close()
        again.close()
        await partition.close()
      }),
      { numRuns: 60 }
    )
  })
})

function statesOf(shard: TransactionShard): Map<string, Transaction> {
  const states = new Map<string, Transaction>()
  for (const [id, { transaction }] of shard.slots) if (transaction !== undefined) states.set(id, transaction)
  return states
}
