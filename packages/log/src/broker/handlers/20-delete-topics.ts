import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode, protocolError } from '../../wire/errors.ts'
import type { deleteTopics } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'

type WantedTopic = RequestOf<typeof deleteTopics>['topics'][number]
type DeletedTopic = ResponseOf<typeof deleteTopics>['responses'][number]

/** DeleteTopics. By name, or from version 6 on by name or id. The coordinators' own topics are refused: groups and transactions live there. */
export const handleDeleteTopics: Handler<typeof deleteTopics> = async (context, request) => {
  // A client in the same process fills in both fields, of which the wire has one.
  const { topics, topicNames } = request
  const wanted = topics.length > 0 ? topics : topicNames.map((name) => ({ name, topicId: ZERO_UUID }))
  return { throttleTimeMs: 0, responses: await Promise.all(wanted.map((topic) => deleteTopic(context, topic))) }
}

async function deleteTopic(context: BrokerContext, wanted: WantedTopic): Promise<DeletedTopic> {
  try {
    const topic = wanted.name === null ? context.topics.byId(wanted.topicId) : context.topics.get(wanted.name)
    if (topic === undefined) {
      throw wanted.name === null
        ? protocolError('UNKNOWN_TOPIC_ID', { message: `no topic has id ${wanted.topicId}` })
        : protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: wanted.name })
    }
    if (topic.internal) {
      throw protocolError('INVALID_REQUEST', {
        topic: topic.name,
        message: 'the coordinators keep their state in this topic'
      })
    }
    await context.topics.delete(topic.name)
    // A new topic of this name begins at 0: what groups read of the old one says nothing about it.
    await context.groups.retention.forgetTopic(topic.name)
    return { name: topic.name, topicId: topic.topicId, errorCode: ErrorCode.NONE, errorMessage: null }
  } catch (error) {
    return { ...wanted, ...failureOrThrow(error) }
  }
}
