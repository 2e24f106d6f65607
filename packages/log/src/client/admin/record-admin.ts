import { ErrorCode, errorFromCode, ProtocolError } from '../../wire/errors.ts'
import { deleteRecords } from '../../wire/messages/index.ts'
import { retry } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import { isRetriableFailure } from '../request-failure.ts'
import { groupByTopic, partitionKey, type TopicPartition } from '../topic-partition.ts'

/** Up to where records of a partition go; -1 for all below the high watermark. */
export type DeletionPoint = TopicPartition & { readonly beforeOffset: number }

/**
 * Moves the partitions' starts, asking each one's leader until all are done. Resolves with the new starts by `topic-partition`.
 * @throws UnknownTopicError, ClientTimeoutError, ProtocolError (OFFSET_OUT_OF_RANGE beyond the high watermark).
 */
export async function deleteRecordsBefore(
  context: ClientContext,
  points: readonly DeletionPoint[],
  timeoutMs: number
): Promise<Map<string, number>> {
  const { environment, metadata } = context
  const starts = new Map<string, number>()
  await Promise.all([...groupByTopic(points).keys()].map((topic) => metadata.require(topic, { timeoutMs })))
  const policy = { what: `deleting records of ${points.length} partitions`, timeoutMs, retriable: isRetriableFailure }
  await retry(environment, policy, async () => {
    const left = points.filter(({ topic, partition }) => !starts.has(partitionKey(topic, partition)))
    const stale = left.filter(({ topic, partition }) => metadata.leader(topic, partition) === undefined)
    if (stale.length > 0) await metadata.refresh([...new Set(stale.map(({ topic }) => topic))])
    const byLeader = Map.groupBy(left, (point) => leaderOf(context, point))
    await Promise.all(
      [...byLeader].map(([node, part]) => askLeader(context, { node, points: part, timeoutMs, starts }))
    )
  })
  return starts
}

function leaderOf({ metadata }: ClientContext, { topic, partition }: TopicPartition): number {
  const leader = metadata.leader(topic, partition)
  if (leader === undefined) throw new ProtocolError('LEADER_NOT_AVAILABLE', { topic, partition })
  return leader.leader
}

interface LeaderDeletion {
  readonly node: number
  readonly points: readonly DeletionPoint[]
  readonly timeoutMs: number
  readonly starts: Map<string, number>
}

async function askLeader(context: ClientContext, { node, points, timeoutMs, starts }: LeaderDeletion): Promise<void> {
  const topics = [...groupByTopic(points)].map(([name, entries]) => ({
    name,
    partitions: entries.map(({ partition, beforeOffset }) => ({ partitionIndex: partition, offset: beforeOffset }))
  }))
  const response = await context.transport.send(deleteRecords, { topics, timeoutMs }, { node, timeoutMs })
  let failure: ProtocolError | undefined
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, lowWatermark, errorCode } of partitions) {
      if (errorCode === ErrorCode.NONE) starts.set(partitionKey(name, partitionIndex), lowWatermark)
      else {
        context.metadata.markStale(name)
        failure ??= errorFromCode(errorCode, { topic: name, partition: partitionIndex })
      }
    }
  }
  if (failure !== undefined) throw failure
}
