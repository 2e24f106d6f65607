import { array, boolean, int8, int16, int32, int64, string, struct, uint16, uuid } from '../wire/schema.ts'

/**
 * Bodies of the records in `__cluster_metadata`, as Kafka 4.x declares them. Every one is flexible from version 0 on; the version
 * that is written of each is in `metadata-records.ts`.
 */
export const registerBrokerSchema = struct({
  brokerId: int32('0+'),
  isMigratingZkBroker: boolean('2+'),
  incarnationId: uuid('0+'),
  brokerEpoch: int64('0+'),
  endPoints: array(
    '0+',
    struct({ name: string('0+'), host: string('0+'), port: uint16('0+'), securityProtocol: int16('0+') })
  ),
  features: array(
    '0+',
    struct({ name: string('0+'), minSupportedVersion: int16('0+'), maxSupportedVersion: int16('0+') })
  ),
  rack: string('0+', { nullable: '0+', default: null }),
  fenced: boolean('0+', { default: true }),
  inControlledShutdown: boolean('1+'),
  logDirs: array('3+', uuid(), { tag: 0 })
})

/** A broker left for good. */
export const unregisterBrokerSchema = struct({ brokerId: int32('0+'), brokerEpoch: int64('0+') })

/** A topic came to be. */
export const topicSchema = struct({ name: string('0+'), topicId: uuid('0+') })

/** A partition came to be. */
export const partitionSchema = struct({
  partitionId: int32('0+', { default: -1 }),
  topicId: uuid('0+'),
  replicas: array('0+', int32()),
  isr: array('0+', int32()),
  removingReplicas: array('0+', int32()),
  addingReplicas: array('0+', int32()),
  leader: int32('0+', { default: -1 }),
  leaderRecoveryState: int8('0+', { tag: 0 }),
  leaderEpoch: int32('0+', { default: -1 }),
  partitionEpoch: int32('0+', { default: -1 }),
  directories: array('1+', uuid()),
  eligibleLeaderReplicas: array('2+', int32(), { nullable: '2+', tag: 1, default: null }),
  lastKnownElr: array('2+', int32(), { nullable: '2+', tag: 2, default: null })
})

/** One configuration of a resource; a null value removes it. Resource type 2 is a topic, 4 a broker. */
export const configSchema = struct({
  resourceType: int8('0+'),
  resourceName: string('0+'),
  name: string('0+'),
  value: string('0+', { nullable: '0+', default: null })
})

/** What changed of a partition; what did not is absent. Leader -2 means unchanged, -1 none. */
export const partitionChangeSchema = struct({
  partitionId: int32('0+', { default: -1 }),
  topicId: uuid('0+'),
  isr: array('0+', int32(), { nullable: '0+', tag: 0, default: null }),
  leader: int32('0+', { tag: 1, default: -2 }),
  replicas: array('0+', int32(), { nullable: '0+', tag: 2, default: null }),
  removingReplicas: array('0+', int32(), { nullable: '0+', tag: 3, default: null }),
  addingReplicas: array('0+', int32(), { nullable: '0+', tag: 4, default: null }),
  leaderRecoveryState: int8('0+', { tag: 5, default: -1 }),
  eligibleLeaderReplicas: array('2+', int32(), { nullable: '2+', tag: 6, default: null }),
  lastKnownElr: array('2+', int32(), { nullable: '2+', tag: 7, default: null }),
  directories: array('1+', uuid(), { nullable: '1+', tag: 8, default: null })
})

/** A broker may not lead; or may again. */
export const brokerFenceSchema = struct({ id: int32('0+'), epoch: int64('0+') })

/** A topic and all its partitions are gone. */
export const removeTopicSchema = struct({ topicId: uuid('0+') })

/** A feature's finalized level; 0 removes it. */
export const featureLevelSchema = struct({ name: string('0+'), featureLevel: int16('0+') })

/** All producer ids below `nextProducerId` were handed out. */
export const producerIdsSchema = struct({
  brokerId: int32('0+'),
  brokerEpoch: int64('0+'),
  nextProducerId: int64('0+')
})

/** A registration changed: -1 unfenced, 0 unchanged, 1 fenced. */
export const brokerRegistrationChangeSchema = struct({
  brokerId: int32('0+'),
  brokerEpoch: int64('0+'),
  fenced: int8('0+', { tag: 0 }),
  inControlledShutdown: int8('1+', { tag: 1 }),
  logDirs: array('2+', uuid(), { tag: 2 })
})

/** Nothing; written so that the log moves. */
export const noOpSchema = struct({})
