import type { MillraceError } from '../../errors.ts'
import { ErrorCode, errorFromCode, ProtocolError } from '../../wire/errors.ts'
import { createTopics, deleteTopics } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import { retry } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import type { TopicMetadata } from '../cluster-metadata.ts'
import { TopicExistsError, UnknownTopicError } from '../errors.ts'
import { isRetriableFailure } from '../request-failure.ts'

/** A topic to create. */
export interface TopicToCreate {
  readonly name: string
  /** -1 or absent for the brokers' default. */
  readonly partitions?: number
  /** -1 or absent for the brokers' default. */
  readonly replicationFactor?: number
  /** By Kafka's names, e.g. `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** What became of one topic of a request: `error` is undefined when it was done. */
export interface TopicOutcome {
  readonly name: string
  /** Base64url uuid; undefined when it failed or the broker has no ids. */
  readonly topicId: string | undefined
  readonly error: MillraceError | undefined
}

/** Creates each topic on its own: one that fails keeps no other from being made. One attempt. */
export async function createTopicsOnce(
  context: ClientContext,
  topics: readonly TopicToCreate[],
  timeoutMs: number
): Promise<TopicOutcome[]> {
  const request = {
    topics: topics.map(({ name, partitions, replicationFactor, configs }) => ({
      name,
      numPartitions: partitions ?? -1,
      replicationFactor: replicationFactor ?? -1,
      assignments: [],
      configs: Object.entries(configs ?? {}).map(([key, value]) => ({ name: key, value }))
    })),
    timeoutMs,
    validateOnly: false
  }
  const response = await context.transport.send(createTopics, request, { timeoutMs })
  return response.topics.map(({ name, topicId, errorCode, errorMessage }) => ({
    name,
    topicId: errorCode === ErrorCode.NONE && topicId !== ZERO_UUID ? topicId : undefined,
    error: createError(name, errorCode, errorMessage)
  }))
}

/** Deletes each topic on its own. One attempt. */
export async function deleteTopicsOnce(
  context: ClientContext,
  names: readonly string[],
  timeoutMs: number
): Promise<TopicOutcome[]> {
  const topics = names.map((name) => ({ name, topicId: ZERO_UUID }))
  const response = await context.transport.send(deleteTopics, { topics, topicNames: names, timeoutMs }, { timeoutMs })
  return response.responses.map(({ name, topicId, errorCode, errorMessage }) => {
    const topic = name ?? ''
    context.metadata.markStale(topic)
    const error = errorCode === ErrorCode.NONE ? undefined : deleteError(topic, errorCode, errorMessage)
    return { name: topic, topicId: topicId === ZERO_UUID ? undefined : topicId, error }
  })
}

/**
 * Makes sure that a topic is there and its partitions have leaders. One that exists is left as it is.
 * @throws what kept it from being created; ClientTimeoutError.
 */
export async function ensureTopicExists(
  context: ClientContext,
  topic: TopicToCreate,
  timeoutMs: number
): Promise<TopicMetadata> {
  const { metadata, environment } = context
  const policy = { what: `creating topic '${topic.name}'`, timeoutMs, retriable: isRetriableFailure }
  return await retry(environment, policy, async () => {
    await metadata.refresh([topic.name])
    if (metadata.topic(topic.name) === undefined) {
      const [outcome] = await createTopicsOnce(context, [topic], timeoutMs)
      if (outcome?.error !== undefined && !(outcome.error instanceof TopicExistsError)) throw outcome.error
      await metadata.refresh([topic.name])
    }
    const made = metadata.topic(topic.name)
    if (made === undefined || made.partitions.some(({ leader }) => leader < 0)) {
      throw new ProtocolError('LEADER_NOT_AVAILABLE', { topic: topic.name })
    }
    return made
  })
}

function createError(topic: string, errorCode: number, message: string | null): MillraceError | undefined {
  if (errorCode === ErrorCode.NONE) return undefined
  const cause = errorFromCode(errorCode, { topic, ...(message === null ? {} : { message }) })
  return errorCode === ErrorCode.TOPIC_ALREADY_EXISTS ? new TopicExistsError(topic, { cause }) : cause
}

function deleteError(topic: string, errorCode: number, message: string | null): MillraceError {
  const cause = errorFromCode(errorCode, { topic, ...(message === null ? {} : { message }) })
  return errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION ? new UnknownTopicError(topic, undefined, { cause }) : cause
}
