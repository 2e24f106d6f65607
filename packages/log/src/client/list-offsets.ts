import type { ResponseOf } from '../wire/api.ts'
import { ErrorCode, errorFromCode, ProtocolError } from '../wire/errors.ts'
import { listOffsets } from '../wire/messages/index.ts'
import { retry } from './backoff.ts'
import type { ClientContext } from './client-context.ts'
import { isRetriableFailure, isTransportFailure } from './request-failure.ts'
import { groupByTopic, partitionKey, type TopicPartition } from './topic-partition.ts'

/** Which records a reader sees: those of committed transactions only (the default everywhere here), or all. */
export type IsolationLevel = 'read_committed' | 'read_uncommitted'

/** Which offset of a partition: its first, its end (the last stable offset under `read_committed`), or that of the first record at or after a time. */
export type OffsetQuery = TopicPartition & { readonly at: 'earliest' | 'latest' | { readonly timestampMs: number } }

/** An offset and, of one found by time, the record's timestamp. `offset` is -1 when no record is that young. */
export interface ListedOffset {
  readonly offset: number
  /** -1 for the first offset and the end. */
  readonly timestampMs: number
  readonly leaderEpoch: number
}

/** How offsets are listed. */
export interface ListOffsetsOptions {
  readonly isolation: IsolationLevel
  readonly timeoutMs: number
}

const LATEST = -1
const EARLIEST = -2

/** The broker's number for an isolation level. */
export function isolationCode(isolation: IsolationLevel): number {
  return isolation === 'read_committed' ? 1 : 0
}

/**
 * Asks the partitions' leaders for offsets, each partition until it is answered. Keys are `topic-partition`.
 * @throws UnknownTopicError, ClientTimeoutError, and ProtocolError for what repeating cannot help.
 */
export async function listPartitionOffsets(
  context: ClientContext,
  queries: readonly OffsetQuery[],
  options: ListOffsetsOptions
): Promise<Map<string, ListedOffset>> {
  const found = new Map<string, ListedOffset>()
  const { environment, metadata } = context
  const { timeoutMs } = options
  await Promise.all([...groupByTopic(queries).keys()].map((topic) => metadata.require(topic, { timeoutMs })))
  const policy = { what: `listing offsets of ${queries.length} partitions`, timeoutMs, retriable: isRetriableFailure }
  await retry(environment, policy, async () => {
    const missing = queries.filter(({ topic, partition }) => !found.has(partitionKey(topic, partition)))
    const byLeader = await groupByLeader(context, missing)
    await Promise.all([...byLeader].map(([node, part]) => askLeader(context, { node, queries: part, options, found })))
  })
  return found
}

async function groupByLeader(
  { metadata }: ClientContext,
  queries: readonly OffsetQuery[]
): Promise<Map<number, OffsetQuery[]>> {
  const unknown = queries.filter(({ topic, partition }) => metadata.leader(topic, partition) === undefined)
  if (unknown.length > 0) await metadata.refresh([...new Set(unknown.map(({ topic }) => topic))])
  const byLeader = new Map<number, OffsetQuery[]>()
  for (const query of queries) {
    const leader = metadata.leader(query.topic, query.partition)
    if (leader === undefined) throw new ProtocolError('LEADER_NOT_AVAILABLE', query)
    byLeader.set(leader.leader, [...(byLeader.get(leader.leader) ?? []), query])
  }
  return byLeader
}

interface LeaderQuestion {
  readonly node: number
  readonly queries: readonly OffsetQuery[]
  readonly options: ListOffsetsOptions
  readonly found: Map<string, ListedOffset>
}

async function askLeader(context: ClientContext, { node, queries, options, found }: LeaderQuestion): Promise<void> {
  const topics = [...groupByTopic(queries)].map(([name, entries]) => ({
    name,
    partitions: entries.map(({ partition, at }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: -1,
      timestamp: timestampOf(at)
    }))
  }))
  const request = {
    replicaId: -1,
    isolationLevel: isolationCode(options.isolation),
    topics,
    timeoutMs: options.timeoutMs
  }
  try {
    const response = await context.transport.send(listOffsets, request, { node, timeoutMs: options.timeoutMs })
    collect(context, response, found)
  } catch (error) {
    if (isTransportFailure(error)) for (const { topic } of queries) context.metadata.markStale(topic)
    throw error
  }
}

function collect(
  { metadata }: ClientContext,
  response: ResponseOf<typeof listOffsets>,
  found: Map<string, ListedOffset>
): void {
  let failure: ProtocolError | undefined
  for (const { name, partitions } of response.topics) {
    for (const { partitionIndex, errorCode, offset, timestamp, leaderEpoch } of partitions) {
      if (errorCode === ErrorCode.NONE) {
        found.set(partitionKey(name, partitionIndex), { offset, timestampMs: timestamp, leaderEpoch })
        continue
      }
      metadata.markStale(name)
      failure ??= errorFromCode(errorCode, { topic: name, partition: partitionIndex })
    }
  }
  if (failure !== undefined) throw failure
}

function timestampOf(at: OffsetQuery['at']): number {
  if (at === 'earliest') return EARLIEST
  return at === 'latest' ? LATEST : at.timestampMs
}
