import { describe, expect, it } from 'vitest'
import { batchOf, brokerFixture } from '../broker/broker-fixture.ts'
import { ErrorCode } from '../wire/errors.ts'
import * as messages from '../wire/messages/index.ts'
import { apis } from '../wire/messages/index.ts'
import type { ServingBroker } from './in-process.ts'
import { type BrokerClient, inProcessClient, inProcessTransports } from './in-process-fixture.ts'

async function opened(wrap: (broker: ServingBroker) => ServingBroker): Promise<BrokerClient> {
  const fixture = brokerFixture()
  return inProcessClient(wrap(await fixture.start()), fixture.environment)
}

describe.each(inProcessTransports)('topics, %s', (_name, wrap) => {
  it('are created with ids, described, and deleted by name or id', async () => {
    const client = await opened(wrap)
    const a = await client.createTopic('a', 3)
    const b = await client.createTopic('b')
    expect(a).not.toBe(b)
    const all = await client.send(messages.metadata, { topics: null })
    expect(all.topics.map(({ name, topicId, partitions }) => [name, topicId, partitions.length])).toEqual([
      ['a', a, 3],
      ['b', b, 1]
    ])
    expect(all.topics[0].partitions[2]).toMatchObject({
      partitionIndex: 2,
      leaderId: 1,
      replicaNodes: [1],
      isrNodes: [1]
    })
    const byId = await client.send(messages.metadata, { topics: [{ topicId: b, name: null }] })
    expect(byId.topics[0].name).toBe('b')
    const deleted = await client.send(messages.deleteTopics, {
      topics: [{ name: 'a' }, { name: null, topicId: b }, { name: 'c' }]
    })
    expect(deleted.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['a', ErrorCode.NONE],
      ['b', ErrorCode.NONE],
      ['c', ErrorCode.UNKNOWN_TOPIC_OR_PARTITION]
    ])
    expect((await client.send(messages.metadata, { topics: null })).topics).toEqual([])
  })

  it('are deleted once when a client names them for every version of the request', async () => {
    const client = await opened(wrap)
    await client.createTopic('a')
    const deleted = await client.send(messages.deleteTopics, { topics: [{ name: 'a' }], topicNames: ['a'] })
    expect(deleted.responses.map(({ name, errorCode }) => [name, errorCode])).toEqual([['a', ErrorCode.NONE]])
  })

  it('come back empty, with another id, when they are created again', async () => {
    const client = await opened(wrap)
    const first = await client.createTopic('a')
    await client.produce('a', batchOf(['old']))
    await client.send(messages.deleteTopics, { topics: [{ name: 'a' }] })
    const second = await client.createTopic('a')
    expect(second).not.toBe(first)
    expect(await client.values('a')).toEqual([])
    expect((await client.produce('a', batchOf(['new']))).baseOffset).toBe(0)
  })

  it('survive being created and deleted by many at once', async () => {
    const client = await opened(wrap)
    const rounds = Array.from({ length: 20 }, (_, round) => [
      client.send(messages.createTopics, {
        topics: [{ name: 'a', numPartitions: 1 + (round % 3), replicationFactor: 1 }]
      }),
      client.send(messages.deleteTopics, { topics: [{ name: 'a' }] })
    ]).flat()
    await Promise.all(rounds)
    const { topics } = await client.send(messages.metadata, { topics: null })
    if (topics.length === 0) await client.createTopic('a')
    expect((await client.produce('a', batchOf(['x']))).errorCode).toBe(ErrorCode.NONE)
    expect(await client.values('a')).toEqual(['x'])
  })

  it('are refused with the reason', async () => {
    const client = await opened(wrap)
    await client.createTopic('taken')
    const topic = (name: string, more: object = {}) => ({ name, numPartitions: 1, replicationFactor: 1, ...more })
    const { topics } = await client.send(messages.createTopics, {
      topics: [
        topic('taken'),
        topic('bad name'),
        topic('__cluster_metadata'),
        topic('none', { numPartitions: 0 }),
        topic('many', { replicationFactor: 3 }),
        topic('unknown', { configs: [{ name: 'no.such', value: '1' }] }),
        topic('value', { configs: [{ name: 'retention.ms', value: 'soon' }] }),
        topic('null', { configs: [{ name: 'retention.ms', value: null }] }),
        topic('twice'),
        topic('twice'),
        {
          name: 'assigned',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [1] }]
        },
        {
          name: 'elsewhere',
          numPartitions: -1,
          replicationFactor: -1,
          assignments: [{ partitionIndex: 0, brokerIds: [9] }]
        }
      ]
    })
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ['taken', ErrorCode.TOPIC_ALREADY_EXISTS],
      ['bad name', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['__cluster_metadata', ErrorCode.INVALID_TOPIC_EXCEPTION],
      ['none', ErrorCode.INVALID_PARTITIONS],
      ['many', ErrorCode.INVALID_REPLICATION_FACTOR],
      ['unknown', ErrorCode.INVALID_CONFIG],
      ['value', ErrorCode.INVALID_CONFIG],
      ['null', ErrorCode.INVALID_CONFIG],
      ['twice', ErrorCode.INVALID_REQUEST],
      ['assigned', ErrorCode.NONE],
      ['elsewhere', ErrorCode.INVALID_REPLICA_ASSIGNMENT]
    ])
    expect(topics[6].errorMessage).toContain('retention.ms')
  })

  it('are only checked with validateOnly', async () => {
    const client = await opened(wrap)
    const { topics } = await client.send(messages.createTopics, {
      topics: [{ name: 'a', numPartitions: 4, replicationFactor: -1 }],
      validateOnly: true
    })
    expect([topics[0].errorCode, topics[0].numPartitions]).toEqual([ErrorCode.NONE, 4])
    expect((await client.send(messages.metadata, { topics: null })).topics).toEqual([])
  })

  it('are created by being named, when both sides allow it', async () => {
    const client = await opened(wrap)
    const forbidden = await client.send(messages.metadata, { topics: [{ name: 'a' }], allowAutoTopicCreation: false })
    expect(forbidden.topics[0].errorCode).toBe(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    const bad = await client.send(messages.metadata, { topics: [{ name: 'a b' }], allowAutoTopicCreation: true })
    expect(bad.topics[0].errorCode).toBe(ErrorCode.INVALID_TOPIC_EXCEPTION)
    const asked = () => client.send(messages.metadata, { topics: [{ name: 'a' }], allowAutoTopicCreation: true })
    const [first, second] = await Promise.all([asked(), asked()])
    expect([first.topics[0].errorCode, second.topics[0].errorCode]).toEqual([ErrorCode.NONE, ErrorCode.NONE])
    expect(first.topics[0].partitions).toHaveLength(1)
  })
})

describe.each(inProcessTransports)('DescribeConfigs, %s', (_name, wrap) => {
  it('answers every configuration with value, default and source', async () => {
    const client = await opened(wrap)
    await client.createTopic('a', 1, { 'cleanup.policy': 'compact' })
    const { results } = await client.send(messages.describeConfigs, {
      resources: [
        { resourceType: 2, resourceName: 'a', configurationKeys: null },
        { resourceType: 4, resourceName: '1', configurationKeys: ['group.initial.rebalance.delay.ms'] },
        { resourceType: 2, resourceName: 'missing', configurationKeys: null },
        { resourceType: 4, resourceName: '2', configurationKeys: null }
      ],
      includeSynonyms: true
    })
    expect(results.map(({ errorCode }) => errorCode)).toEqual([
      ErrorCode.NONE,
      ErrorCode.NONE,
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.INVALID_REQUEST
    ])
    const policy = results[0].configs.find(({ name }) => name === 'cleanup.policy')
    expect(policy).toMatchObject({ value: 'compact', configSource: 1, configType: 7, readOnly: false })
    expect(policy?.synonyms.map(({ value, source }) => [value, source])).toEqual([
      ['compact', 1],
      ['delete', 5]
    ])
    expect(results[0].configs.find(({ name }) => name === 'retention.ms')).toMatchObject({
      value: '604800000',
      configSource: 5
    })
    expect(results[1].configs.map(({ name, value }) => [name, value])).toEqual([
      ['group.initial.rebalance.delay.ms', '0']
    ])
  })
})

describe.each(inProcessTransports)('DeleteRecords and ListOffsets, %s', (_name, wrap) => {
  it('move and tell the start and the end', async () => {
    const client = await opened(wrap)
    await client.createTopic('a', 1, { 'retention.ms': '-1' })
    await client.produce('a', batchOf(['x', 'y'], { timestampMs: 5_000 }))
    await client.produce('a', batchOf(['z'], { timestampMs: 4_000 }))
    const offsetAt = async (timestamp: number) => {
      const { topics } = await client.send(messages.listOffsets, {
        replicaId: -1,
        topics: [{ name: 'a', partitions: [{ partitionIndex: 0, timestamp }] }]
      })
      const { offset, timestamp: at, errorCode } = topics[0].partitions[0]
      return [offset, at, errorCode]
    }
    expect(await offsetAt(-1)).toEqual([3, -1, 0])
    expect(await offsetAt(-2)).toEqual([0, -1, 0])
    expect(await offsetAt(-3)).toEqual([1, 5_001, 0])
    expect(await offsetAt(5_001)).toEqual([1, 5_001, 0])
    expect(await offsetAt(6_000)).toEqual([-1, -1, 0])
    const before = async (offset: number) => {
      const { topics } = await client.send(messages.deleteRecords, {
        topics: [{ name: 'a', partitions: [{ partitionIndex: 0, offset }] }]
      })
      return [topics[0].partitions[0].lowWatermark, topics[0].partitions[0].errorCode]
    }
    expect(await before(2)).toEqual([2, ErrorCode.NONE])
    expect(await before(9)).toEqual([-1, ErrorCode.OFFSET_OUT_OF_RANGE])
    expect(await before(-1)).toEqual([3, ErrorCode.NONE])
    expect(await offsetAt(-2)).toEqual([3, -1, 0])
  })
})

describe.each(inProcessTransports)('what a broker says of itself, %s', (_name, wrap) => {
  it('lists what it serves, and the features of transactions v2', async () => {
    const client = await opened(wrap)
    const versions = await client.send(messages.apiVersions, {})
    const served = new Map(versions.apiKeys.map(({ apiKey, ...range }) => [apiKey, range]))
    expect(served.get(0)).toEqual({ minVersion: 0, maxVersion: 12 })
    expect([...served.keys()].sort((a, b) => a - b)).toEqual(
      apis
        .map(({ key }) => key)
        .filter((key) => key !== 27)
        .sort((a, b) => a - b)
    )
    expect(versions.finalizedFeatures).toContainEqual({
      name: 'transaction.version',
      maxVersionLevel: 2,
      minVersionLevel: 2
    })
    expect(await client.transport.feature('transaction.version')).toBe(2)
    expect(await client.transport.version(messages.produce)).toBe(12)
  })

  it('tells the same cluster id everywhere', async () => {
    const client = await opened(wrap)
    const cluster = await client.send(messages.describeCluster, {})
    const { clusterId } = await client.send(messages.metadata, { topics: [] })
    expect(cluster.clusterId).toBe(clusterId)
    expect(cluster.brokers).toHaveLength(1)
    const wrong = await client.send(messages.describeCluster, { endpointType: 2 })
    expect(wrong.errorCode).toBe(ErrorCode.MISMATCHED_ENDPOINT_TYPE)
  })
})
