import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProtocolError } from '../wire/errors.ts'
import {
  allocateProducerIds,
  configureTopic,
  createTopic,
  deleteTopic,
  finalizeFeatures,
  registerBroker,
  topicNameProblem
} from './metadata-controller.ts'
import { applyRecords, emptyImage, type MetadataImage } from './metadata-image.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord } from './metadata-records.ts'

const uuid = (n: number): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(n, 12)
  return bytes.toString('base64url')
}

function started(image: MetadataImage = emptyImage, brokerId = 1): MetadataImage {
  const endPoints = [{ name: 'PLAINTEXT', host: 'localhost', port: 9092 }]
  return applyRecords(image, registerBroker(image, { brokerId, brokerEpoch: 1, incarnationId: uuid(99), endPoints }))
}

const clicks = {
  name: 'clicks',
  topicId: uuid(1),
  partitions: 4,
  replicationFactor: 1,
  configs: new Map([['retention.ms', '-1']])
}

function codeOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ProtocolError) return error.errorName
    throw error
  }
  return 'no error'
}

describe('metadata controller', () => {
  it('creates a topic with its partitions and configurations', () => {
    const image = started()
    const after = applyRecords(image, createTopic(image, clicks))
    const topic = after.topicsByName.get('clicks')
    expect(topic?.partitions).toHaveLength(4)
    expect(topic?.partitions[3]).toEqual({ replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 })
    expect(topic?.configs.get('retention.ms')).toBe('-1')
    expect(after.topicsById.get(uuid(1))).toBe(topic)
    expect(image.topicsByName.size).toBe(0)
  })

  it('spreads leaders over the brokers', () => {
    const image = started(started(), 2)
    const after = applyRecords(image, createTopic(image, { ...clicks, replicationFactor: 2 }))
    expect(after.topicsByName.get('clicks')?.partitions.map((partition) => partition.replicas)).toEqual([
      [1, 2],
      [2, 1],
      [1, 2],
      [2, 1]
    ])
  })

  it('refuses what cannot be created', () => {
    const image = started()
    const taken = applyRecords(image, createTopic(image, { ...clicks, name: 'a.b' }))
    const attempt = (change: Partial<typeof clicks>): string =>
      codeOf(() => createTopic(taken, { ...clicks, topicId: uuid(2), ...change }))
    expect(attempt({ name: 'a.b' })).toBe('TOPIC_ALREADY_EXISTS')
    expect(attempt({ name: 'a_b' })).toBe('INVALID_TOPIC_EXCEPTION')
    expect(attempt({ name: 'a b' })).toBe('INVALID_TOPIC_EXCEPTION')
    expect(attempt({ partitions: 0 })).toBe('INVALID_PARTITIONS')
    expect(attempt({ replicationFactor: 2 })).toBe('INVALID_REPLICATION_FACTOR')
  })

  it.each(['', '.', '..', 'x'.repeat(250), 'sl/ash', 'ü'])('knows that %j is no topic name', (name) => {
    expect(topicNameProblem(name)).toBeTypeOf('string')
  })

  it('bumps the leader epoch of every partition that a starting broker leads', () => {
    const image = started()
    const created = applyRecords(image, createTopic(image, clicks))
    const restarted = started(started(created))
    expect(restarted.topicsByName.get('clicks')?.partitions.map((partition) => partition.leaderEpoch)).toEqual([
      2, 2, 2, 2
    ])
    expect(created.topicsByName.get('clicks')?.partitions[0].leaderEpoch).toBe(0)
  })

  it('deletes and configures only what is there', () => {
    const image = started()
    const created = applyRecords(image, createTopic(image, clicks))
    const changed = applyRecords(
      created,
      configureTopic(
        created,
        'clicks',
        new Map([
          ['retention.ms', null],
          ['segment.ms', '5']
        ])
      )
    )
    expect([...(changed.topicsByName.get('clicks')?.configs ?? [])]).toEqual([['segment.ms', '5']])
    const deleted = applyRecords(changed, deleteTopic(changed, 'clicks'))
    expect(deleted.topicsByName.size + deleted.topicsById.size).toBe(0)
    expect(codeOf(() => deleteTopic(deleted, 'clicks'))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('never hands out a producer id twice', () => {
    const broker = { brokerId: 1, brokerEpoch: 5 }
    const first = allocateProducerIds(emptyImage, broker)
    const second = allocateProducerIds(applyRecords(emptyImage, first.records), broker)
    expect(first.block).toEqual({ first: 0, length: 1_000 })
    expect(second.block).toEqual({ first: 1_000, length: 1_000 })
  })

  it('finalizes features once', () => {
    const image = applyRecords(emptyImage, finalizeFeatures(emptyImage))
    expect(image.features.get('transaction.version')).toBe(2)
    expect(finalizeFeatures(image)).toEqual([])
  })

  it('gives the same image from one batch, many batches, or the decoded log', () => {
    const commands = fc.array(
      fc.record({
        what: fc.constantFrom('create', 'delete', 'start', 'ids', 'configure'),
        topic: fc.integer({ min: 0, max: 4 }),
        partitions: fc.integer({ min: 1, max: 3 })
      }),
      { maxLength: 30 }
    )
    fc.assert(
      fc.property(commands, (list) => {
        let image = started()
        const log: MetadataRecord[] = []
        list.forEach(({ what, topic, partitions }, index) => {
          const name = `t${topic}`
          const there = image.topicsByName.has(name)
          const records: MetadataRecord[] = []
          if (what === 'create' && !there)
            records.push(...createTopic(image, { ...clicks, name, topicId: uuid(index), partitions }))
          if (what === 'delete' && there) records.push(...deleteTopic(image, name))
          if (what === 'configure' && there)
            records.push(...configureTopic(image, name, new Map([['segment.ms', `${index}`]])))
          if (what === 'ids') records.push(...allocateProducerIds(image, { brokerId: 1, brokerEpoch: 1 }).records)
          if (what === 'start')
            records.push(
              ...registerBroker(image, { brokerId: 1, brokerEpoch: index, incarnationId: uuid(index), endPoints: [] })
            )
          log.push(...records)
          image = applyRecords(image, records)
        })
        expect(applyRecords(started(), log)).toEqual(image)
        const decoded = log.map((record) => decodeMetadataRecord(encodeMetadataRecord(record)))
        expect(
          applyRecords(
            started(),
            decoded.filter((record) => record !== undefined)
          )
        ).toEqual(image)
      }),
      { numRuns: 100 }
    )
  })
})
