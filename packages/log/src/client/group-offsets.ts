import { ErrorCode, errorFromCode } from '../wire/errors.ts'
import { offsetCommit, offsetFetch } from '../wire/messages/index.ts'
import type { ClientContext } from './client-context.ts'
import { CommitRefusedError } from './errors.ts'
import type { CommittedOffset, GroupMetadata, GroupOffset } from './group-offset.ts'
import { isRefusedByGroup } from './request-failure.ts'
import { groupByTopic, partitionKey, type TopicPartition } from './topic-partition.ts'

const firstBatchedVersion = 8

/** Whose positions, and how long to try. */
export interface GroupOffsetsQuery {
  readonly groupId: string
  /** All that the group has when absent. */
  readonly partitions?: readonly TopicPartition[]
  readonly timeoutMs: number
}

/**
 * A group's committed positions by `topic-partition`; a partition without one is absent. Asks for stable ones only: while a transaction with
 * positions of these partitions is open, it waits for its end (KIP-447).
 * @throws ClientTimeoutError, and ProtocolError for what repeating cannot help.
 */
export function fetchGroupOffsets(
  context: ClientContext,
  { groupId, partitions, timeoutMs }: GroupOffsetsQuery
): Promise<Map<string, CommittedOffset>> {
  const topics =
    partitions === undefined
      ? null
      : [...groupByTopic(partitions)].map(([name, entries]) => ({
          name,
          partitionIndexes: entries.map(({ partition }) => partition)
        }))
  const what = `fetching committed offsets of group '${groupId}'`
  return context.coordinators.call({
    kind: 'group',
    key: groupId,
    what,
    timeoutMs,
    send: async (node) => {
      const batched = (await context.transport.version(offsetFetch, node)) >= firstBatchedVersion
      const group = { groupId, memberId: null, memberEpoch: -1, topics }
      const request = batched ? { groupId: '', topics: [], groups: [group] } : { groupId, topics, groups: [] }
      const response = await context.transport.send(offsetFetch, { ...request, requireStable: true }, { node })
      return readCommitted(batched ? (response.groups[0] ?? response) : response)
    }
  })
}

interface FetchedOffsets {
  readonly errorCode: number
  readonly topics: readonly {
    readonly name: string
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly committedOffset: number
      readonly committedLeaderEpoch: number
      readonly metadata: string | null
      readonly errorCode: number
    }[]
  }[]
}

function readCommitted({ errorCode, topics }: FetchedOffsets): Map<string, CommittedOffset> {
  if (errorCode !== ErrorCode.NONE) throw errorFromCode(errorCode)
  const committed = new Map<string, CommittedOffset>()
  for (const { name, partitions } of topics) {
    for (const partition of partitions) {
      const { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata } = partition
      if (partition.errorCode !== ErrorCode.NONE) {
        throw errorFromCode(partition.errorCode, { topic: name, partition: partitionIndex })
      }
      if (offset >= 0)
        committed.set(partitionKey(name, partitionIndex), { offset, leaderEpoch, metadata: metadata ?? '' })
    }
  }
  return committed
}

/**
 * Commits positions as the given member of the given generation, and never as another one: a group that has moved on refuses them.
 * @throws CommitRefusedError then; ClientTimeoutError, and ProtocolError for what repeating cannot help.
 */
export async function commitGroupOffsets(
  context: ClientContext,
  commit: { readonly offsets: readonly GroupOffset[]; readonly group: GroupMetadata; readonly timeoutMs: number }
): Promise<void> {
  const { offsets, group, timeoutMs } = commit
  const topics = [...groupByTopic(offsets)].map(([name, entries]) => ({
    name,
    partitions: entries.map(({ partition, offset, leaderEpoch, metadata }) => ({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata ?? ''
    }))
  }))
  const request = {
    groupId: group.groupId,
    generationIdOrMemberEpoch: group.generationId,
    memberId: group.memberId,
    groupInstanceId: group.groupInstanceId ?? null,
    retentionTimeMs: -1,
    topics
  }
  const what = `committing offsets of group '${group.groupId}'`
  const send = async (node: number) => {
    const response = await context.transport.send(offsetCommit, request, { node })
    for (const { name, partitions } of response.topics) {
      const failed = partitions.find(({ errorCode }) => errorCode !== ErrorCode.NONE)
      if (failed !== undefined) throw errorFromCode(failed.errorCode, { topic: name, partition: failed.partitionIndex })
    }
  }
  try {
    await context.coordinators.call({ kind: 'group', key: group.groupId, what, timeoutMs, send })
  } catch (cause) {
    throw isRefusedByGroup(cause) ? new CommitRefusedError(group.groupId, { cause }) : cause
  }
}
