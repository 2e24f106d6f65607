import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode, protocolError } from '../../wire/errors.ts'
import type { createTopics } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import { describeTopicConfigs } from '../config-description.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import type { NewTopic } from '../topic-registry.ts'

type Request = RequestOf<typeof createTopics>
type WantedTopic = Request['topics'][number]
type CreatedTopic = ResponseOf<typeof createTopics>['topics'][number]

/**
 * CreateTopics. Each topic stands for itself: one that is refused leaves the others alone. With `validateOnly` everything is checked and
 * nothing written. A name that comes twice in one request is refused both times.
 */
export const handleCreateTopics: Handler<typeof createTopics> = async (context, request) => {
  const seen = new Map<string, number>()
  for (const { name } of request.topics) seen.set(name, (seen.get(name) ?? 0) + 1)
  const distinct = request.topics.filter(({ name }, index) => {
    return request.topics.findIndex((other) => other.name === name) === index
  })
  const topics = await Promise.all(
    distinct.map((wanted) =>
      createTopic(context, { wanted, repeated: seen.get(wanted.name) !== 1, validateOnly: request.validateOnly })
    )
  )
  return { throttleTimeMs: 0, topics }
}

interface Creation {
  readonly wanted: WantedTopic
  readonly repeated: boolean
  readonly validateOnly: boolean
}

async function createTopic(
  context: BrokerContext,
  { wanted, repeated, validateOnly }: Creation
): Promise<CreatedTopic> {
  try {
    if (repeated) {
      throw protocolError('INVALID_REQUEST', {
        topic: wanted.name,
        message: 'the request names the topic more than once'
      })
    }
    const topic = await context.topics.create({ ...newTopic(context, wanted), validateOnly })
    return {
      name: topic.name,
      topicId: topic.topicId,
      errorCode: ErrorCode.NONE,
      errorMessage: null,
      topicConfigErrorCode: ErrorCode.NONE,
      numPartitions: topic.partitions.length,
      replicationFactor: topic.partitions[0].replicas.length,
      configs: describeTopicConfigs(topic.configs)
    }
  } catch (error) {
    return {
      name: wanted.name,
      topicId: ZERO_UUID,
      ...failureOrThrow(error),
      topicConfigErrorCode: ErrorCode.NONE,
      numPartitions: -1,
      replicationFactor: -1,
      configs: null
    }
  }
}

function newTopic(context: BrokerContext, wanted: WantedTopic): NewTopic {
  const configs = new Map<string, string>()
  for (const { name, value } of wanted.configs) {
    if (value === null) {
      throw protocolError('INVALID_CONFIG', {
        topic: wanted.name,
        message: `null is no value for configuration ${name}`
      })
    }
    configs.set(name, value)
  }
  const { name, numPartitions: partitions, replicationFactor, assignments } = wanted
  if (assignments.length === 0) return { name, partitions, replicationFactor, configs }
  checkAssignments(context, wanted)
  return { name, partitions: assignments.length, replicationFactor: 1, configs }
}

/** With one broker, the only assignment is to that one, partition by partition from 0. */
function checkAssignments(
  context: BrokerContext,
  { name, assignments, numPartitions, replicationFactor }: WantedTopic
) {
  if (numPartitions !== -1 || replicationFactor !== -1) {
    throw protocolError('INVALID_REQUEST', {
      topic: name,
      message: 'with assignments, the numbers of partitions and replicas must be -1'
    })
  }
  const indexes = new Set(assignments.map(({ partitionIndex }) => partitionIndex))
  const dense = assignments.every((_, index) => indexes.has(index))
  const here = assignments.every(({ brokerIds }) => brokerIds.length === 1 && brokerIds[0] === context.brokerId)
  if (dense && here) return
  throw protocolError('INVALID_REPLICA_ASSIGNMENT', {
    topic: name,
    message: `assign partitions 0 to ${assignments.length - 1} to broker ${context.brokerId}, each once`
  })
}
