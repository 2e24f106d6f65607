import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode, protocolError } from '../../wire/errors.ts'
import type { metadata } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../coordination/partition-directory.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import type { TopicInfo } from '../topic-registry.ts'

type Request = RequestOf<typeof metadata>
type DescribedTopic = ResponseOf<typeof metadata>['topics'][number]
type WantedTopic = NonNullable<Request['topics']>[number]

/** All operations that exist on a resource, as a bit set by operation code: without an authorizer everything is allowed (KIP-430). */
const allTopicOperations = 0b1101_1111_1000
const allClusterOperations = 0b1_1111_1010_0000
const notAsked = -0x8000_0000

/**
 * Metadata. Brokers, topics, partitions and leaders; all topics for null, and for an empty list in version 0. A missing topic is created
 * when both the client (`allowAutoTopicCreation`) and the broker (`auto.create.topics.enable`) allow it, and is described at once.
 */
export const handleMetadata: Handler<typeof metadata> = async (context, request, session) => {
  const all = request.topics === null || (session.apiVersion === 0 && request.topics.length === 0)
  const wanted = all
    ? context.topics.list().map((topic) => describe(topic, request))
    : (request.topics ?? []).map((topic) => describeWanted(context, topic, request))
  const topics = await Promise.all(wanted)
  return {
    throttleTimeMs: 0,
    brokers: [{ nodeId: context.brokerId, host: context.advertised.host, port: context.advertised.port, rack: null }],
    clusterId: context.clusterId,
    controllerId: context.brokerId,
    topics,
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? allClusterOperations : notAsked,
    errorCode: ErrorCode.NONE
  }
}

async function describeWanted(context: BrokerContext, wanted: WantedTopic, request: Request): Promise<DescribedTopic> {
  try {
    return describe(await findOrCreate(context, wanted, request), request)
  } catch (error) {
    return {
      errorCode: failureOrThrow(error).errorCode,
      name: wanted.name,
      topicId: wanted.topicId,
      isInternal: false,
      partitions: [],
      topicAuthorizedOperations: notAsked
    }
  }
}

async function findOrCreate(context: BrokerContext, wanted: WantedTopic, request: Request): Promise<TopicInfo> {
  const { name, topicId } = wanted
  if (name === null || topicId !== ZERO_UUID) {
    const topic = context.topics.byId(topicId)
    if (topic === undefined) throw protocolError('UNKNOWN_TOPIC_ID', { message: `no topic has id ${topicId}` })
    return topic
  }
  const topic = context.topics.get(name)
  if (topic !== undefined) return topic
  context.topics.checkName(name)
  if (request.allowAutoTopicCreation && context.config.autoCreateTopics) await createMissing(context, name)
  const created = context.topics.get(name)
  if (created === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: name })
  return created
}

async function createMissing(context: BrokerContext, name: string): Promise<void> {
  if (name === OFFSETS_TOPIC || name === TRANSACTIONS_TOPIC) return context.partitions.ensureInternalTopic(name)
  try {
    await context.topics.create({ name, partitions: -1, replicationFactor: -1, configs: new Map() })
  } catch (error) {
    // Another request was faster.
    if (context.topics.get(name) === undefined) throw error
  }
}

function describe(topic: TopicInfo, request: Request): DescribedTopic {
  return {
    errorCode: ErrorCode.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: topic.internal,
    partitions: topic.partitions.map((partition, index) => ({
      errorCode: partition.leader < 0 ? ErrorCode.LEADER_NOT_AVAILABLE : ErrorCode.NONE,
      partitionIndex: index,
      leaderId: partition.leader,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: partition.replicas,
      isrNodes: partition.inSyncReplicas,
      offlineReplicas: []
    })),
    topicAuthorizedOperations: request.includeTopicAuthorizedOperations ? allTopicOperations : notAsked
  }
}
