import { describe, expect, it } from 'vitest'
import { DecodeError } from '../wire/codec.ts'
import { decodeMetadataRecord, encodeMetadataRecord, type MetadataRecord, metadataRecord } from './metadata-records.ts'

const topicId = 'x1ay0U8IQgCYZ8GkDQ7Dfg'

const samples: MetadataRecord[] = [
  metadataRecord('topic', { name: 'clicks', topicId }),
  metadataRecord('partition', {
    partitionId: 3,
    topicId,
    replicas: [1, 2],
    isr: [1],
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 9,
    directories: [topicId, topicId]
  }),
  metadataRecord('partitionChange', { partitionId: 3, topicId, leader: 2 }),
  metadataRecord('partitionChange', { partitionId: 3, topicId, isr: [1, 2] }),
  metadataRecord('config', { resourceType: 2, resourceName: 'clicks', name: 'retention.ms', value: '-1' }),
  metadataRecord('config', { resourceType: 2, resourceName: 'clicks', name: 'retention.ms', value: null }),
  metadataRecord('registerBroker', {
    brokerId: 1,
    incarnationId: topicId,
    brokerEpoch: 17,
    endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 65_535, securityProtocol: 0 }],
    features: [{ name: 'transaction.version', minSupportedVersion: 0, maxSupportedVersion: 2 }],
    fenced: false,
    logDirs: [topicId]
  }),
  metadataRecord('unregisterBroker', { brokerId: 1, brokerEpoch: 17 }),
  metadataRecord('fenceBroker', { id: 1, epoch: 17 }),
  metadataRecord('unfenceBroker', { id: 1, epoch: 17 }),
  metadataRecord('brokerRegistrationChange', { brokerId: 1, brokerEpoch: 17, fenced: 1 }),
  metadataRecord('removeTopic', { topicId }),
  metadataRecord('featureLevel', { name: 'transaction.version', featureLevel: 2 }),
  metadataRecord('producerIds', { brokerId: 1, brokerEpoch: 17, nextProducerId: 3_000 }),
  metadataRecord('noOp', {})
]

describe('metadata records', () => {
  it.each(samples.map((sample) => [sample.kind, sample] as const))('%s comes back as it was', (_kind, sample) => {
    expect(decodeMetadataRecord(encodeMetadataRecord(sample))).toEqual(sample)
  })

  it('has the bytes of Kafka: frame 1, key, version, then the flexible body', () => {
    const bytes = encodeMetadataRecord(metadataRecord('featureLevel', { name: 'ab', featureLevel: 2 }))
    // frame 1 | key 12 | version 0 | compact string 'ab' | int16 2 | no tagged fields
    expect(bytes.toString('hex')).toBe(['01', '0c', '00', '036162', '0002', '00'].join(''))
  })

  it('writes what did not change of a partition as nothing', () => {
    const bytes = encodeMetadataRecord(metadataRecord('partitionChange', { partitionId: 1, topicId, leader: 5 }))
    const id = Buffer.from(topicId, 'base64url').toString('hex')
    // one tagged field: tag 1 (leader), four bytes
    expect(bytes.toString('hex')).toBe(`010501${'00000001'}${id}${'01'}${'01'}${'04'}${'00000005'}`)
  })

  it('skips a kind that it does not know', () => {
    expect(decodeMetadataRecord(Buffer.from('01180100', 'hex'))).toBeUndefined()
  })

  it('names what it cannot read', () => {
    expect(() => decodeMetadataRecord(Buffer.from('02020000', 'hex'))).toThrow(DecodeError)
    expect(() => decodeMetadataRecord(Buffer.from('010263', 'hex'))).toThrow(/topic of version 99/)
  })
})
