import { ErrorCode } from '../../wire/errors.ts'
import type { BrokerContext } from '../handler.ts'
import type { OffsetToCommit } from './group-shard.ts'

/** Topics of an OffsetCommit or TxnOffsetCommit request. */
export type RequestedOffsets = readonly {
  readonly name: string
  readonly partitions: readonly {
    readonly partitionIndex: number
    readonly committedOffset: number
    readonly committedLeaderEpoch: number
    readonly committedMetadata: string | null
  }[]
}[]

/** The same topics with an error code per partition. */
export type AnsweredOffsets = {
  name: string
  partitions: { partitionIndex: number; errorCode: number }[]
}[]

/** The offsets of a request that can be committed, and what to answer for the others. */
export interface CheckedOffsets {
  readonly valid: readonly OffsetToCommit[]
  /** The response's topics, with this code where the offset was valid. */
  answer(outcome: number): AnsweredOffsets
}

/** Partitions must exist, and metadata must not be longer than the broker allows; the rest of the request goes on without those that fail. */
export function checkOffsets(
  context: BrokerContext,
  groupId: string,
  request: { readonly topics: RequestedOffsets; readonly expireTimestampMs: number }
): CheckedOffsets {
  const refused = new Map<string, number>()
  const valid: OffsetToCommit[] = []
  for (const { name: topic, partitions } of request.topics) {
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } of partitions) {
      const metadata = committedMetadata ?? ''
      const problem = problemOf(context, { topic, partitionIndex, metadata })
      if (problem !== ErrorCode.NONE) refused.set(`${topic}-${partitionIndex}`, problem)
      else {
        valid.push({
          key: { groupId, topic, partition: partitionIndex },
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata,
          expireTimestampMs: request.expireTimestampMs
        })
      }
    }
  }
  const answer = (outcome: number): AnsweredOffsets =>
    request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({
        partitionIndex,
        errorCode: refused.get(`${name}-${partitionIndex}`) ?? outcome
      }))
    }))
  return { valid, answer }
}

function problemOf(
  context: BrokerContext,
  offset: { readonly topic: string; readonly partitionIndex: number; readonly metadata: string }
): number {
  const exists = context.topics.get(offset.topic)?.partitions[offset.partitionIndex] !== undefined
  if (!exists) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
  const tooLong = Buffer.byteLength(offset.metadata) > context.config.offsetMetadataMaxBytes
  return tooLong ? ErrorCode.OFFSET_METADATA_TOO_LARGE : ErrorCode.NONE
}
