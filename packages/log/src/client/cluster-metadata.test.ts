import { describe, expect, it } from 'vitest'
import { simulatedEnvironment } from '../testing/simulated-world.ts'
import { DisconnectedError } from '../transport/errors.ts'
import { ErrorCode } from '../wire/errors.ts'
import { findCoordinator, metadata } from '../wire/messages/index.ts'
import { ClientTimeoutError, UnknownTopicError } from './errors.ts'
import { scriptedCluster } from './scripted-transport-fixture.ts'

const topicId = 'abcdefghijklmnopqrstuw'

function described(name: string | null, leaderId = 1) {
  return { topics: [{ name, topicId, partitions: [{ partitionIndex: 0, leaderId, leaderEpoch: 5 }] }] }
}

describe('what is known of topics', () => {
  it('is asked for once by all who want it at the same time', async () => {
    const { transport, context } = scriptedCluster()
    await Promise.all([1, 2, 3].map(() => context.metadata.require('a', { timeoutMs: 100 })))
    await context.metadata.require('a', { timeoutMs: 100 })
    expect(transport.requests(metadata)).toHaveLength(1)
    expect(transport.requests(metadata)[0].allowAutoTopicCreation).toBe(false)
  })

  it('has leaders until an answer proves them stale, and then again after a refresh', async () => {
    const { transport, context } = scriptedCluster()
    transport.on(metadata, () => described('a'))
    await context.metadata.refresh(['a'])
    expect(context.metadata.leader('a', 0)).toEqual({ index: 0, leader: 1, leaderEpoch: 5 })
    expect(context.metadata.topicName(topicId)).toBe('a')
    context.metadata.markStale('a')
    expect(context.metadata.leader('a', 0)).toBeUndefined()
    expect(context.metadata.topic('a')?.topicId).toBe(topicId)
    await context.metadata.refresh(['a'])
    expect(context.metadata.leader('a', 0)?.leader).toBe(1)
  })

  it('knows no leader while there is none, and no topic that is gone', async () => {
    const { transport, context } = scriptedCluster()
    transport.on(metadata, () => described('a', -1))
    await context.metadata.refresh(['a'])
    expect(context.metadata.leader('a', 0)).toBeUndefined()
    transport.on(metadata, () => ({ topics: [{ name: 'a', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] }))
    await context.metadata.refresh(['a'])
    expect(context.metadata.topic('a')).toBeUndefined()
    expect(context.metadata.topicName(topicId)).toBeUndefined()
  })

  it('lists what the cluster has now, and nothing that was deleted since', async () => {
    const { transport, context } = scriptedCluster()
    transport.on(metadata, () => described('a'))
    expect((await context.metadata.listTopics()).map(({ name }) => name)).toEqual(['a'])
    transport.on(metadata, () => ({ topics: [] }))
    expect(await context.metadata.listTopics()).toEqual([])
    expect(context.metadata.topic('a')).toBeUndefined()
  })

  it('is waited for while the topic is being made, and given up in time', async () => {
    const { world, ...environment } = simulatedEnvironment({ seed: 1 })
    const { transport, context } = scriptedCluster(environment)
    const required = (name: string, timeoutMs: number) => world.run(context.metadata.require(name, { timeoutMs }))
    const unknown = () => ({ topics: [{ name: 'a', errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION }] })
    transport.inTurn(metadata, [unknown, () => Promise.reject(new DisconnectedError('lost')), () => described('a')])
    expect((await required('a', 1_000)).name).toBe('a')
    transport.on(metadata, unknown)
    await expect(required('b', 50)).rejects.toThrow(UnknownTopicError)
    transport.on(metadata, () => Promise.reject(new DisconnectedError('lost')))
    await expect(required('c', 50)).rejects.toThrow(ClientTimeoutError)
  })

  it('is not asked for again when the name can never be right', async () => {
    const { transport, context } = scriptedCluster()
    transport.on(metadata, () => ({ topics: [{ name: '?', errorCode: ErrorCode.INVALID_TOPIC_EXCEPTION }] }))
    await expect(context.metadata.require('?', { timeoutMs: 1_000 })).rejects.toThrow('INVALID_TOPIC_EXCEPTION')
    expect(transport.requests(metadata)).toHaveLength(1)
  })
})

describe('the coordinators of groups and transactions', () => {
  it('are remembered apart, until one has moved or cannot be reached', async () => {
    const { transport, context } = scriptedCluster()
    const { coordinators } = context
    await coordinators.node('group', 'x')
    await coordinators.node('group', 'x')
    await coordinators.node('transaction', 'x')
    expect(transport.requests(findCoordinator).map(({ keyType }) => keyType)).toEqual([0, 1])
    expect(coordinators.isRetriable('group', 'x', new DisconnectedError('lost'))).toBe(true)
    await coordinators.node('group', 'x')
    await coordinators.node('transaction', 'x')
    expect(transport.requests(findCoordinator).map(({ keyType }) => keyType)).toEqual([0, 1, 0])
  })

  it('are asked for one by one from a broker that knows no other way', async () => {
    const { transport, context } = scriptedCluster()
    transport.versions.set(findCoordinator.name, 3)
    transport.on(findCoordinator, ({ key }) => ({ nodeId: key === 'x' ? 4 : -1 }))
    expect(await context.coordinators.node('group', 'x')).toBe(4)
    expect(transport.requests(findCoordinator)).toEqual([{ key: 'x', keyType: 0, coordinatorKeys: [] }])
  })
})
