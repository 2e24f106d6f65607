import { InvariantError } from '../errors.ts'
import type { MetadataRecord, MetadataRecordOf } from './metadata-records.ts'

/** Resource types of a Config record. */
export const ConfigResource = { topic: 2, broker: 4 } as const

/**
 * The cluster as its metadata log describes it up to some offset. A value: `applyRecords` returns the next one and leaves this one as it
 * was, so that a reader may keep it.
 */
export interface MetadataImage {
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  readonly brokers: ReadonlyMap<number, BrokerImage>
  /** Finalized feature levels, e.g. `transaction.version`. */
  readonly features: ReadonlyMap<string, number>
  /** Configurations of brokers by id; '' holds the cluster-wide defaults. */
  readonly brokerConfigs: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** All producer ids below it were handed out. */
  readonly nextProducerId: number
}

/** One topic. */
export interface TopicImage {
  readonly name: string
  /** Base64url uuid. */
  readonly topicId: string
  /** By partition index. */
  readonly partitions: readonly PartitionImage[]
  readonly configs: ReadonlyMap<string, string>
}

/** One partition. */
export interface PartitionImage {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** -1 when there is none. */
  readonly leader: number
  /** Grows with every election; also when the same broker is elected again after its start. */
  readonly leaderEpoch: number
  /** Grows with every change of the partition. */
  readonly partitionEpoch: number
}

/** One registered broker. */
export interface BrokerImage {
  readonly brokerId: number
  /** Offset of the registration record: it tells two runs of one broker apart. */
  readonly brokerEpoch: number
  readonly incarnationId: string
  readonly endPoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
  readonly rack: string | null
  readonly fenced: boolean
}

/** The cluster before its first record. */
export const emptyImage: MetadataImage = {
  topicsByName: new Map(),
  topicsById: new Map(),
  brokers: new Map(),
  features: new Map(),
  brokerConfigs: new Map(),
  nextProducerId: 0
}

/** An image under construction: its own maps, and the topics that this batch has copied already. */
interface Draft {
  topicsByName: Map<string, TopicImage>
  topicsById: Map<string, TopicImage>
  brokers: Map<number, BrokerImage>
  features: Map<string, number>
  brokerConfigs: Map<string, ReadonlyMap<string, string>>
  nextProducerId: number
  readonly owned: Map<string, OwnedTopic>
}

interface OwnedTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: PartitionImage[]
  readonly configs: Map<string, string>
}

/**
 * The image after the records, in order.
 * @throws InvariantError when a record speaks of a topic, partition or broker that no earlier record made.
 */
export function applyRecords(image: MetadataImage, records: readonly MetadataRecord[]): MetadataImage {
  if (records.length === 0) return image
  const draft: Draft = {
    topicsByName: new Map(image.topicsByName),
    topicsById: new Map(image.topicsById),
    brokers: new Map(image.brokers),
    features: new Map(image.features),
    brokerConfigs: new Map(image.brokerConfigs),
    nextProducerId: image.nextProducerId,
    owned: new Map()
  }
  for (const record of records) applyRecord(draft, record)
  const { owned: _owned, ...next } = draft
  return next
}

function applyRecord(draft: Draft, record: MetadataRecord): void {
  switch (record.kind) {
    case 'topic':
      putTopic(draft, { ...record.body, partitions: [], configs: new Map() })
      break
    case 'partition':
      addPartition(draft, record.body)
      break
    case 'partitionChange':
      changePartition(draft, record.body)
      break
    case 'removeTopic': {
      const topic = existingTopic(draft, record.body.topicId)
      draft.topicsByName.delete(topic.name)
      draft.topicsById.delete(topic.topicId)
      break
    }
    case 'config':
      setConfig(draft, record.body)
      break
    case 'featureLevel':
      if (record.body.featureLevel === 0) draft.features.delete(record.body.name)
      else draft.features.set(record.body.name, record.body.featureLevel)
      break
    case 'producerIds':
      draft.nextProducerId = record.body.nextProducerId
      break
    case 'registerBroker':
      draft.brokers.set(record.body.brokerId, brokerOf(record.body))
      break
    case 'unregisterBroker':
      draft.brokers.delete(record.body.brokerId)
      break
    case 'fenceBroker':
      setFenced(draft, record.body.id, true)
      break
    case 'unfenceBroker':
      setFenced(draft, record.body.id, false)
      break
    case 'brokerRegistrationChange':
      if (record.body.fenced !== 0) setFenced(draft, record.body.brokerId, record.body.fenced === 1)
      break
    case 'noOp':
      break
  }
}

function putTopic(draft: Draft, topic: OwnedTopic): void {
  draft.topicsByName.set(topic.name, topic)
  draft.topicsById.set(topic.topicId, topic)
  draft.owned.set(topic.topicId, topic)
}

function existingTopic(draft: Draft, topicId: string): TopicImage {
  const topic = draft.topicsById.get(topicId)
  if (topic === undefined) throw new InvariantError(`the metadata log speaks of topic id ${topicId} before creating it`)
  return topic
}

/** A copy of the topic that this draft may write to, made once a batch. */
function ownedTopic(draft: Draft, topicId: string): OwnedTopic {
  const topic = existingTopic(draft, topicId)
  const owned = draft.owned.get(topicId)
  if (owned !== undefined) return owned
  const copy = { ...topic, partitions: [...topic.partitions], configs: new Map(topic.configs) }
  putTopic(draft, copy)
  return copy
}

function addPartition(draft: Draft, body: MetadataRecordOf<'partition'>['body']): void {
  const topic = ownedTopic(draft, body.topicId)
  topic.partitions[body.partitionId] = {
    replicas: body.replicas,
    isr: body.isr,
    leader: body.leader,
    leaderEpoch: body.leaderEpoch,
    partitionEpoch: body.partitionEpoch
  }
}

function changePartition(draft: Draft, body: MetadataRecordOf<'partitionChange'>['body']): void {
  const topic = ownedTopic(draft, body.topicId)
  const before = topic.partitions[body.partitionId]
  if (before === undefined) {
    throw new InvariantError(`the metadata log changes ${topic.name}-${body.partitionId} before creating it`)
  }
  const elected = body.leader !== -2
  topic.partitions[body.partitionId] = {
    replicas: body.replicas ?? before.replicas,
    isr: body.isr ?? before.isr,
    leader: elected ? body.leader : before.leader,
    leaderEpoch: elected ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1
  }
}

function setConfig(draft: Draft, body: MetadataRecordOf<'config'>['body']): void {
  if (body.resourceType === ConfigResource.broker) {
    const configs = new Map(draft.brokerConfigs.get(body.resourceName))
    assign(configs, body.name, body.value)
    draft.brokerConfigs.set(body.resourceName, configs)
    return
  }
  if (body.resourceType !== ConfigResource.topic) return
  const named = draft.topicsByName.get(body.resourceName)
  if (named === undefined)
    throw new InvariantError(`the metadata log configures ${body.resourceName} before creating it`)
  assign(ownedTopic(draft, named.topicId).configs, body.name, body.value)
}

function assign(configs: Map<string, string>, name: string, value: string | null): void {
  if (value === null) configs.delete(name)
  else configs.set(name, value)
}

function brokerOf(body: MetadataRecordOf<'registerBroker'>['body']): BrokerImage {
  const { brokerId, brokerEpoch, incarnationId, endPoints, rack, fenced } = body
  return { brokerId, brokerEpoch, incarnationId, endPoints, rack, fenced }
}

function setFenced(draft: Draft, brokerId: number, fenced: boolean): void {
  const broker = draft.brokers.get(brokerId)
  if (broker === undefined) throw new InvariantError(`the metadata log fences broker ${brokerId} before registering it`)
  draft.brokers.set(brokerId, { ...broker, fenced })
}
