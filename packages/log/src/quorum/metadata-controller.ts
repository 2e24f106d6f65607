import { protocolError } from '../wire/errors.ts'
import { ZERO_UUID } from '../wire/schema.ts'
import { ConfigResource, type MetadataImage, type PartitionImage, type TopicImage } from './metadata-image.ts'
import type { MetadataRecord, MetadataRecordOf } from './metadata-records.ts'

/**
 * The controller's commands: pure functions from the image and a wish to the records that make it true. Nothing is changed here; the caller
 * appends the records to the metadata log and applies them to its image once they are committed.
 */

/** Producer ids in one block (Kafka's size). */
export const PRODUCER_ID_BLOCK = 1_000

/** A topic to create; everything is decided. */
export interface CreateTopicCommand {
  readonly name: string
  /** Base64url uuid, never used before. */
  readonly topicId: string
  readonly partitions: number
  readonly replicationFactor: number
  /** Checked by the caller against the known configurations. */
  readonly configs: ReadonlyMap<string, string>
}

/**
 * Creates a topic; replicas are spread round-robin over the brokers that are not fenced, starting with another one for each topic.
 * @throws ProtocolError INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR
 */
export function createTopic(image: MetadataImage, command: CreateTopicCommand): MetadataRecord[] {
  checkTopicName(image, command.name)
  if (!Number.isInteger(command.partitions) || command.partitions < 1) {
    throw protocolError('INVALID_PARTITIONS', {
      topic: command.name,
      message: `a topic needs at least one partition, not ${command.partitions}`
    })
  }
  const brokers = liveBrokers(image)
  if (command.replicationFactor < 1 || command.replicationFactor > brokers.length) {
    throw protocolError('INVALID_REPLICATION_FACTOR', {
      topic: command.name,
      message: `replication factor ${command.replicationFactor} with ${brokers.length} live broker(s): ask for 1 to ${brokers.length}`
    })
  }
  const { name, topicId } = command
  const records: MetadataRecord[] = [{ kind: 'topic', body: { name, topicId } }]
  for (const [configName, value] of command.configs) {
    records.push({
      kind: 'config',
      body: { resourceType: ConfigResource.topic, resourceName: name, name: configName, value }
    })
  }
  const first = image.topicsByName.size
  for (let partitionId = 0; partitionId < command.partitions; partitionId += 1) {
    const replicas = Array.from(
      { length: command.replicationFactor },
      (_, replica) => brokers[(first + partitionId + replica) % brokers.length]
    )
    records.push(partitionRecord(topicId, partitionId, replicas))
  }
  return records
}

function partitionRecord(topicId: string, partitionId: number, replicas: readonly number[]): MetadataRecord {
  return {
    kind: 'partition',
    body: {
      partitionId,
      topicId,
      replicas,
      isr: replicas,
      removingReplicas: [],
      addingReplicas: [],
      leader: replicas[0],
      leaderRecoveryState: 0,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(() => ZERO_UUID),
      eligibleLeaderReplicas: null,
      lastKnownElr: null
    }
  }
}

function liveBrokers(image: MetadataImage): number[] {
  const live: number[] = []
  for (const broker of image.brokers.values()) if (!broker.fenced) live.push(broker.brokerId)
  return live.sort((a, b) => a - b)
}

function checkTopicName(image: MetadataImage, name: string): void {
  const problem = topicNameProblem(name)
  if (problem !== undefined) throw protocolError('INVALID_TOPIC_EXCEPTION', { topic: name, message: problem })
  if (image.topicsByName.has(name)) throw protocolError('TOPIC_ALREADY_EXISTS', { topic: name })
  const metricName = name.replaceAll('.', '_')
  if (metricName === name && !name.includes('_')) return
  for (const other of image.topicsByName.keys()) {
    if (other.replaceAll('.', '_') === metricName) {
      throw protocolError('INVALID_TOPIC_EXCEPTION', {
        topic: name,
        message: `the name collides with topic ${other} where '.' and '_' are not told apart (metric names)`
      })
    }
  }
}

/** What is wrong with a topic name, or undefined: 1 to 249 of [a-zA-Z0-9._-], neither '.' nor '..'. */
export function topicNameProblem(name: string): string | undefined {
  if (name === '') return 'a topic name must not be empty'
  if (name === '.' || name === '..') return `a topic must not be called '${name}'`
  if (name.length > 249) return `a topic name has at most 249 characters, this one has ${name.length}`
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) return 'a topic name consists of the characters a-z, A-Z, 0-9, ".", "_" and "-"'
  return undefined
}

/** Deletes a topic. @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION */
export function deleteTopic(image: MetadataImage, name: string): MetadataRecord[] {
  const topic = existingTopic(image, name)
  return [{ kind: 'removeTopic', body: { topicId: topic.topicId } }]
}

/**
 * Sets configurations of a topic; null removes one. Values are checked by the caller.
 * @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION
 */
export function configureTopic(
  image: MetadataImage,
  name: string,
  changes: ReadonlyMap<string, string | null>
): MetadataRecord[] {
  existingTopic(image, name)
  return [...changes].map(([configName, value]) => ({
    kind: 'config',
    body: { resourceType: ConfigResource.topic, resourceName: name, name: configName, value }
  }))
}

function existingTopic(image: MetadataImage, name: string): TopicImage {
  const topic = image.topicsByName.get(name)
  if (topic === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: name })
  return topic
}

/** Producer ids handed out to one broker: [first, first + length). */
export interface ProducerIdBlock {
  readonly first: number
  readonly length: number
}

/** Hands out the next block of producer ids. It may be used once the record is committed. */
export function allocateProducerIds(
  image: MetadataImage,
  broker: { readonly brokerId: number; readonly brokerEpoch: number }
): { readonly records: MetadataRecord[]; readonly block: ProducerIdBlock } {
  const first = image.nextProducerId
  const body = { ...broker, nextProducerId: first + PRODUCER_ID_BLOCK }
  return { records: [{ kind: 'producerIds', body }], block: { first, length: PRODUCER_ID_BLOCK } }
}

/** A broker that has started. */
export interface RegisterBrokerCommand {
  readonly brokerId: number
  /** Base64url uuid of this run. */
  readonly incarnationId: string
  /** Offset that the registration record will get. */
  readonly brokerEpoch: number
  readonly endPoints: readonly { readonly name: string; readonly host: string; readonly port: number }[]
}

/**
 * Registers a broker at its start, and elects it anew for every partition that it leads or can lead: each start of a broker bumps the leader
 * epoch, so that what an earlier run left in flight is told apart.
 */
export function registerBroker(image: MetadataImage, command: RegisterBrokerCommand): MetadataRecord[] {
  const records: MetadataRecord[] = [
    {
      kind: 'registerBroker',
      body: {
        ...command,
        isMigratingZkBroker: false,
        endPoints: command.endPoints.map((endPoint) => ({ ...endPoint, securityProtocol: 0 })),
        features: [...supportedFeatures].map(([name, range]) => ({ name, ...range })),
        rack: null,
        fenced: false,
        inControlledShutdown: false,
        logDirs: []
      }
    }
  ]
  for (const topic of image.topicsById.values()) {
    topic.partitions.forEach((partition, partitionId) => {
      if (!mayLead(partition, command.brokerId)) return
      records.push({ kind: 'partitionChange', body: leaderChange(topic.topicId, partitionId, command.brokerId) })
    })
  }
  return records
}

function mayLead(partition: PartitionImage, brokerId: number): boolean {
  if (partition.leader === brokerId) return true
  return partition.leader === -1 && partition.isr.includes(brokerId)
}

function leaderChange(
  topicId: string,
  partitionId: number,
  leader: number
): MetadataRecordOf<'partitionChange'>['body'] {
  return {
    partitionId,
    topicId,
    isr: null,
    leader,
    replicas: null,
    removingReplicas: null,
    addingReplicas: null,
    leaderRecoveryState: -1,
    eligibleLeaderReplicas: null,
    lastKnownElr: null,
    directories: null
  }
}

/** Features of this version, with the levels it can speak. Level 2 of `transaction.version` is KIP-890. */
export const supportedFeatures: ReadonlyMap<
  string,
  { readonly minSupportedVersion: number; readonly maxSupportedVersion: number }
> = new Map([
  ['metadata.version', { minSupportedVersion: 7, maxSupportedVersion: 25 }],
  ['transaction.version', { minSupportedVersion: 0, maxSupportedVersion: 2 }]
])

/** Finalizes the newest level of every supported feature in a new cluster; nothing once that was done. */
export function finalizeFeatures(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const [name, { maxSupportedVersion }] of supportedFeatures) {
    if (image.features.has(name)) continue
    records.push({ kind: 'featureLevel', body: { name, featureLevel: maxSupportedVersion } })
  }
  return records
}
