import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { offsetFetch } from '../../wire/messages/index.ts'
import type { GroupShard } from '../coordination/group-shard.ts'
import type { Handler } from '../handler.ts'

/** Version from which on several groups are asked for at once. */
const FIRST_BATCHED_VERSION = 8

type Request = RequestOf<typeof offsetFetch>
type WantedTopics = Request['topics']
type AnsweredTopics = ResponseOf<typeof offsetFetch>['topics']
type AnsweredPartition = AnsweredTopics[number]['partitions'][number]

/**
 * OffsetFetch: committed positions; offset -1 where there is none. Null topics ask for all of the group's. With `requireStable` a position that an
 * open transaction may change is answered UNSTABLE_OFFSET_COMMIT (KIP-447).
 */
export const handleOffsetFetch: Handler<typeof offsetFetch> = (context, request, session) => {
  const fetch = (groupId: string, topics: WantedTopics) => {
    const shard = context.groups.find(groupId)
    if (typeof shard === 'number') return { topics: refusedTopics(topics, shard), errorCode: shard }
    return {
      topics: positions(shard, { groupId, topics, requireStable: request.requireStable }),
      errorCode: ErrorCode.NONE
    }
  }
  if (session.apiVersion < FIRST_BATCHED_VERSION) {
    return { throttleTimeMs: 0, ...fetch(request.groupId, request.topics), groups: [] }
  }
  const groups = request.groups.map(({ groupId, topics }) => ({ groupId, ...fetch(groupId, topics) }))
  return { throttleTimeMs: 0, topics: [], errorCode: ErrorCode.NONE, groups }
}

/** Version 1 has no error code of its own: every partition carries it. */
function refusedTopics(topics: WantedTopics, errorCode: number): AnsweredTopics {
  return (topics ?? []).map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partition) => none(partition, errorCode))
  }))
}

interface Wanted {
  readonly groupId: string
  readonly topics: WantedTopics
  readonly requireStable: boolean
}

function positions(shard: GroupShard, { groupId, topics, requireStable }: Wanted): AnsweredTopics {
  const wanted: Iterable<readonly [string, readonly number[]]> =
    topics === null
      ? shard.offsets.partitionsOf(groupId)
      : topics.map(({ name, partitionIndexes }) => [name, partitionIndexes] as const)
  return [...wanted].map(([topic, indexes]) => ({
    name: topic,
    partitions: indexes.map((partition): AnsweredPartition => {
      const key = { groupId, topic, partition }
      if (requireStable && shard.offsets.isHeld(key)) return none(partition, ErrorCode.UNSTABLE_OFFSET_COMMIT)
      const committed = shard.offsets.get(key)
      if (committed === undefined) return none(partition, ErrorCode.NONE)
      const { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata } = committed
      return { partitionIndex: partition, committedOffset, committedLeaderEpoch, metadata, errorCode: ErrorCode.NONE }
    })
  }))
}

function none(partitionIndex: number, errorCode: number): AnsweredPartition {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: '', errorCode }
}
