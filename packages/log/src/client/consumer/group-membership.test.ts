import { describe, expect, it } from 'vitest'
import { DisconnectedError } from '../../transport/errors.ts'
import { encodeAssignment } from '../../wire/consumer-protocol.ts'
import { ErrorCode, type ErrorName } from '../../wire/errors.ts'
import {
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  syncGroup
} from '../../wire/messages/index.ts'
import { pause } from '../backoff.ts'
import { CommitRefusedError, GroupMembershipError } from '../errors.ts'
import { type ScriptedTransport, scriptedCluster } from '../scripted-transport-fixture.ts'
import { Consumer } from './consumer.ts'
import type { ConsumerOptions } from './consumer-options.ts'
import type { SubscribeOptions } from './group-membership.ts'

const place = { topic: 'a', partition: 0 }

/** A group of one member, which is always given `a-0`; no fetch is ever answered. */
function openGroup(
  options: ConsumerOptions = {},
  callbacks: SubscribeOptions = {}
): { transport: ScriptedTransport; consumer: Consumer; poll: (until: () => boolean) => Promise<void> } {
  const { transport, context } = scriptedCluster()
  let generationId = 0
  transport.on(joinGroup, ({ memberId, protocols }) =>
    memberId === ''
      ? { errorCode: ErrorCode.MEMBER_ID_REQUIRED, memberId: 'given' }
      : {
          generationId: ++generationId,
          leader: memberId,
          memberId,
          members: [{ memberId, metadata: protocols[0].metadata }]
        }
  )
  transport.on(syncGroup, () => ({
    assignment: encodeAssignment({ assignedPartitions: [{ topic: 'a', partitions: [0] }], userData: null })
  }))
  transport.on(heartbeat, () => ({}))
  transport.on(leaveGroup, () => ({}))
  transport.on(offsetFetch, () => new Promise(() => {}))
  const consumer = new Consumer(context, { groupId: 'group', heartbeatIntervalMs: 2, sessionTimeoutMs: 50, ...options })
  consumer.subscribe(['a'], callbacks)
  const poll = async (until: () => boolean) => {
    for (let turn = 0; turn < 500 && !until(); turn++) await consumer.poll(2)
    expect(until()).toBe(true)
  }
  return { transport, consumer, poll }
}

function generations(transport: ScriptedTransport): number[] {
  return [...new Set(transport.requests(heartbeat).map(({ generationId }) => generationId))]
}

describe('a member of a group', () => {
  it('comes back with the id it is given (KIP-394), and hands the assignment in when it leads', async () => {
    const { transport, consumer, poll } = openGroup()
    await poll(() => consumer.assignment().length === 1)
    expect(transport.requests(joinGroup).map(({ memberId }) => memberId)).toEqual(['', 'given'])
    const [{ protocolType, protocols }] = transport.requests(joinGroup)
    expect([protocolType, protocols[0].name]).toEqual(['consumer', 'range'])
    expect(transport.requests(syncGroup)[0].assignments.map(({ memberId }) => memberId)).toEqual(['given'])
    expect(consumer.groupMetadata()).toEqual({ groupId: 'group', generationId: 1, memberId: 'given' })
    await consumer.close()
  })

  it('sends heartbeats between polls', async () => {
    const { transport, consumer, poll } = openGroup()
    await poll(() => consumer.assignment().length === 1)
    const before = transport.requests(heartbeat).length
    await untilTrue(() => transport.requests(heartbeat).length > before + 3)
    await consumer.close()
  })

  it('holds joins and syncs on a connection apart from heartbeats, leaving and everything else', async () => {
    const { transport, consumer, poll } = openGroup()
    await poll(() => consumer.assignment().length === 1)
    await untilTrue(() => transport.requests(heartbeat).length > 0)
    await consumer.close()
    const lanes = (api: typeof joinGroup | typeof heartbeat | typeof leaveGroup | typeof syncGroup) =>
      new Set(transport.options(api).map(({ lane }) => lane))
    expect(lanes(joinGroup)).toEqual(lanes(syncGroup))
    expect(lanes(heartbeat)).toEqual(lanes(leaveGroup))
    expect(lanes(heartbeat)).not.toEqual(lanes(joinGroup))
  })

  it('joins again when told of a rebalance, and beats for the new generation alone from then on', async () => {
    const revoked: number[] = []
    const { transport, consumer, poll } = openGroup(
      {},
      { onRevoked: (partitions) => void revoked.push(partitions.length) }
    )
    await poll(() => consumer.assignment().length === 1)
    transport.inTurn(heartbeat, [() => ({ errorCode: ErrorCode.REBALANCE_IN_PROGRESS }), () => ({})])
    await untilTrue(() => transport.requests(heartbeat).length > 0)
    await poll(() => consumer.groupMetadata().generationId === 2)
    expect(revoked).toEqual([1])
    transport.sent.length = 0
    await untilTrue(() => transport.requests(heartbeat).length > 2)
    expect(generations(transport)).toEqual([2])
    await consumer.close()
  })

  it('joins once for a rebalance of which it is told again while it gives its partitions up', async () => {
    let told = 0
    const onRevoked = async () => {
      await untilTrue(() => told > 2)
      transport.on(heartbeat, () => ({}))
    }
    const { transport, consumer, poll } = openGroup({}, { onRevoked })
    await poll(() => consumer.assignment().length === 1)
    transport.on(heartbeat, () => {
      told++
      return { errorCode: ErrorCode.REBALANCE_IN_PROGRESS }
    })
    await poll(() => consumer.groupMetadata().generationId >= 2)
    for (let turn = 0; turn < 5; turn++) await consumer.poll(2)
    expect(consumer.groupMetadata().generationId).toBe(2)
    await consumer.close()
  })

  it.each(['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'] as const)(
    'has lost its partitions when a heartbeat is answered %s, and joins anew',
    async (name) => {
      const told: string[] = []
      const callbacks = { onLost: () => void told.push('lost'), onRevoked: () => void told.push('revoked') }
      const { transport, consumer, poll } = openGroup({}, callbacks)
      await poll(() => consumer.assignment().length === 1)
      const joins = transport.requests(joinGroup).length
      transport.inTurn(heartbeat, [() => ({ errorCode: ErrorCode[name] }), () => ({})])
      await poll(() => consumer.groupMetadata().generationId === 2)
      expect(told).toEqual(['lost'])
      const [again] = transport.requests(joinGroup).slice(joins)
      expect(again.memberId).toBe(name === 'UNKNOWN_MEMBER_ID' ? '' : 'given')
      await consumer.close()
    }
  )

  it('goes on through lost requests, and looks for the coordinator when it has moved', async () => {
    const { transport, consumer, poll } = openGroup()
    const join = transport.scriptOf(joinGroup)
    let attempts = 0
    transport.on(joinGroup, (request) => {
      attempts++
      if (attempts === 1) return Promise.reject(new DisconnectedError('lost'))
      if (attempts === 2) return { errorCode: ErrorCode.NOT_COORDINATOR }
      if (attempts === 3) return { errorCode: ErrorCode.REBALANCE_IN_PROGRESS }
      return join(request)
    })
    await poll(() => consumer.assignment().length === 1)
    expect(transport.requests(findCoordinator).length).toBe(3)
    await consumer.close()
  })

  it.each([
    'FENCED_INSTANCE_ID',
    'INCONSISTENT_GROUP_PROTOCOL',
    'INVALID_SESSION_TIMEOUT',
    'GROUP_MAX_SIZE_REACHED'
  ] as const)('cannot be one when a join is answered %s', async (name) => {
    const { transport, consumer, poll } = openGroup()
    transport.on(joinGroup, () => ({ errorCode: ErrorCode[name] }))
    await expect(poll(() => false)).rejects.toThrow(GroupMembershipError)
    await consumer.close()
  })

  it('leaves when it closes, unless it is static', async () => {
    for (const groupInstanceId of [undefined, 'instance']) {
      const { transport, consumer, poll } = openGroup(groupInstanceId === undefined ? {} : { groupInstanceId })
      await poll(() => consumer.assignment().length === 1)
      await consumer.close()
      const left = transport.requests(leaveGroup).map(({ members }) => members[0].memberId)
      expect(left).toEqual(groupInstanceId === undefined ? ['given'] : [])
      const beats = transport.requests(heartbeat).length
      await pause(scriptedCluster().context.environment, 10)
      expect(transport.requests(heartbeat).length).toBe(beats)
    }
  })

  it('keeps the error of a callback from undoing the rebalance', async () => {
    let fail = true
    const callbacks: SubscribeOptions = {
      onAssigned: () => {
        if (!fail) return
        fail = false
        throw new RangeError('the callback failed')
      }
    }
    const { consumer, poll } = openGroup({}, callbacks)
    await expect(poll(() => false)).rejects.toThrow('the callback failed')
    expect(consumer.assignment()).toEqual([place])
    await consumer.close()
  })
})

describe('positions of a member', () => {
  it('are committed as who it is, static id included', async () => {
    const { transport, consumer, poll } = openGroup({ groupInstanceId: 'instance' })
    transport.on(offsetCommit, () => ({}))
    await poll(() => consumer.assignment().length === 1)
    await consumer.commit([{ ...place, offset: 5 }])
    expect(transport.requests(offsetCommit)[0]).toMatchObject({
      groupId: 'group',
      generationIdOrMemberEpoch: 1,
      memberId: 'given',
      groupInstanceId: 'instance'
    })
    await consumer.close()
  })

  const refusals: readonly ErrorName[] = [
    'ILLEGAL_GENERATION',
    'UNKNOWN_MEMBER_ID',
    'FENCED_INSTANCE_ID',
    'REBALANCE_IN_PROGRESS'
  ]
  it.each(refusals)('are not committed again when they are answered %s', async (name) => {
    const { transport, consumer, poll } = openGroup()
    transport.on(offsetCommit, () => ({
      topics: [{ name: 'a', partitions: [{ partitionIndex: 0, errorCode: ErrorCode[name] }] }]
    }))
    await poll(() => consumer.assignment().length === 1)
    await expect(consumer.commit([{ ...place, offset: 5 }])).rejects.toThrow(CommitRefusedError)
    expect(transport.requests(offsetCommit)).toHaveLength(1)
    await consumer.close()
  })

  it('are asked for as stable ones only, until they are', async () => {
    const { transport, context } = scriptedCluster()
    const answer = (errorCode: number) => ({
      groups: [
        {
          groupId: 'group',
          topics: [{ name: 'a', partitions: [{ partitionIndex: 0, committedOffset: 9, metadata: 'm', errorCode }] }]
        }
      ]
    })
    transport.inTurn(offsetFetch, [() => answer(ErrorCode.UNSTABLE_OFFSET_COMMIT), () => answer(ErrorCode.NONE)])
    const consumer = new Consumer(context, { groupId: 'group' })
    const committed = await consumer.committed([place])
    expect(committed).toEqual(new Map([['a-0', { offset: 9, leaderEpoch: -1, metadata: 'm' }]]))
    expect(transport.requests(offsetFetch).map(({ requireStable }) => requireStable)).toEqual([true, true])
  })
})

async function untilTrue(holds: () => boolean): Promise<void> {
  const { environment } = scriptedCluster().context
  for (let turn = 0; turn < 500 && !holds(); turn++) await pause(environment, 2)
  expect(holds()).toBe(true)
}
