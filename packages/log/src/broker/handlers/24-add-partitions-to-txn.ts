import { ErrorCode } from '../../wire/errors.ts'
import type { addPartitionsToTxn } from '../../wire/messages/index.ts'
import type { Handler } from '../handler.ts'

/**
 * AddPartitionsToTxn of the older protocol (versions 0 to 3). All or nothing: when one partition does not exist it is named, and the others
 * are answered OPERATION_NOT_ATTEMPTED.
 */
export const handleAddPartitionsToTxn: Handler<typeof addPartitionsToTxn> = async (context, request) => {
  const topics = request.v3AndBelowTopics
  const exists = (topic: string, index: number): boolean => context.topics.get(topic)?.partitions[index] !== undefined
  const complete = topics.every(({ name, partitions }) => partitions.every((index) => exists(name, index)))
  const producer = {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch
  }
  const wanted = new Map(topics.map(({ name, partitions }) => [name, partitions]))
  const outcome = complete
    ? await context.transactions.addPartitions(producer, wanted, 0)
    : ErrorCode.OPERATION_NOT_ATTEMPTED
  const codeOf = (topic: string, index: number): number =>
    exists(topic, index) ? outcome : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    resultsByTransaction: [],
    resultsByTopicV3AndBelow: topics.map(({ name, partitions }) => ({
      name,
      resultsByPartition: partitions.map((partitionIndex) => ({
        partitionIndex,
        partitionErrorCode: codeOf(name, partitionIndex)
      }))
    }))
  }
}
