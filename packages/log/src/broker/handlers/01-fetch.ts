import type { Partition } from '../../partition/partition.ts'
import type { RequestOf, ResponseOf } from '../../wire/api.ts'
import { ErrorCode, protocolError } from '../../wire/errors.ts'
import type { fetch } from '../../wire/messages/index.ts'
import { ZERO_UUID } from '../../wire/schema.ts'
import type { FetchAttempt } from '../delayed-fetch.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'
import { checkLeaderEpoch, ledPartition } from '../led-partition.ts'

type Request = RequestOf<typeof fetch>
type Response = ResponseOf<typeof fetch>
type RequestedTopic = Request['topics'][number]
type RequestedPartition = RequestedTopic['partitions'][number]
type FetchedPartition = Response['responses'][number]['partitions'][number]

/** Of one attempt: how many bytes may still go out, and whether a client should hear of it at once. */
interface Budget {
  bytesLeft: number
  sizeBytes: number
  urgent: boolean
}

/**
 * Fetch. Whole batches from each partition, as many as the limits allow: the first batch of the first partition that has one goes out
 * whole even when it is larger. A fetch that found less than `minBytes` waits, up to `maxWaitMs`, for visible data: below the
 * last stable offset with `read_committed`, else below the high watermark. Fetch sessions are not kept: every answer is full.
 */
export const handleFetch: Handler<typeof fetch> = (context, request) => {
  if (request.sessionEpoch > 0) return answer(ErrorCode.FETCH_SESSION_ID_NOT_FOUND, [])
  const attempt = () => attemptFetch(context, request)
  const first = attempt()
  if (first.satisfied || request.maxWaitMs <= 0) return first.answer
  return context.delayedFetches.wait({
    attempt,
    partitions: fetchedPartitions(context, request),
    maxWaitMs: request.maxWaitMs
  })
}

function answer(errorCode: number, responses: Response['responses']): Response {
  return { throttleTimeMs: 0, errorCode, sessionId: 0, responses, nodeEndpoints: [] }
}

function attemptFetch(context: BrokerContext, request: Request): FetchAttempt<Response> {
  const budget: Budget = {
    bytesLeft: Math.min(request.maxBytes, context.config.fetchMaxBytes),
    sizeBytes: 0,
    urgent: request.topics.length === 0
  }
  const responses = request.topics.map((topic) => ({
    topic: topic.topic,
    topicId: topic.topicId,
    partitions: topic.partitions.map((partition) => fetchPartition(context, { request, topic, partition, budget }))
  }))
  return { answer: answer(ErrorCode.NONE, responses), satisfied: budget.urgent || budget.sizeBytes >= request.minBytes }
}

interface PartitionFetch {
  readonly request: Request
  readonly topic: RequestedTopic
  readonly partition: RequestedPartition
  readonly budget: Budget
}

function fetchPartition(context: BrokerContext, fetch: PartitionFetch): FetchedPartition {
  const { partition: wanted, budget } = fetch
  try {
    const partition = ledPartition(context, topicName(context, fetch.topic), wanted.partition)
    checkLeaderEpoch(partition, wanted.currentLeaderEpoch)
    const diverging = divergingEpoch(partition, wanted)
    if (diverging !== undefined) {
      budget.urgent = true
      return { ...emptyPartition(wanted.partition, ErrorCode.NONE), divergingEpoch: diverging }
    }
    return readPartition(partition, fetch)
  } catch (error) {
    budget.urgent = true
    return emptyPartition(wanted.partition, failureOrThrow(error).errorCode)
  }
}

function readPartition(partition: Partition, { request, partition: wanted, budget }: PartitionFetch): FetchedPartition {
  const committed = request.isolationLevel === 1
  if (budget.sizeBytes > 0 && budget.bytesLeft <= 0) {
    const { highWatermark, lastStableOffset, logStartOffset } = partition
    return { ...emptyPartition(wanted.partition, ErrorCode.NONE), highWatermark, lastStableOffset, logStartOffset }
  }
  const read = partition.read({
    offset: wanted.fetchOffset,
    maxBytes: Math.max(0, Math.min(wanted.partitionMaxBytes, budget.bytesLeft)),
    isolation: committed ? 'read_committed' : 'read_uncommitted'
  })
  budget.sizeBytes += read.sizeBytes
  budget.bytesLeft -= read.sizeBytes
  return {
    ...emptyPartition(wanted.partition, ErrorCode.NONE),
    highWatermark: read.highWatermark,
    lastStableOffset: read.lastStableOffset,
    logStartOffset: read.logStartOffset,
    abortedTransactions: committed ? read.abortedTransactions : null,
    records: read.chunks
  }
}

/** By name, or by id when there is none (from version 13 on); in process both may be there and must agree. */
function topicName(context: BrokerContext, topic: RequestedTopic): string {
  if (topic.topicId === ZERO_UUID) return topic.topic
  const found = context.topics.byId(topic.topicId)
  if (topic.topic === '') {
    if (found === undefined) throw protocolError('UNKNOWN_TOPIC_ID', { message: `no topic has id ${topic.topicId}` })
    return found.name
  }
  if (context.topics.get(topic.topic) !== found) throw protocolError('INCONSISTENT_TOPIC_ID', { topic: topic.topic })
  return topic.topic
}

/** Where the reader's log left ours, if it says which epoch its last batch had and ours ended that epoch before its offset. */
function divergingEpoch(
  partition: Partition,
  wanted: RequestedPartition
): FetchedPartition['divergingEpoch'] | undefined {
  if (wanted.lastFetchedEpoch < 0) return undefined
  const end = partition.endOffsetForEpoch(wanted.lastFetchedEpoch)
  return end.epoch < wanted.lastFetchedEpoch || end.endOffset < wanted.fetchOffset ? end : undefined
}

const noEpoch = { epoch: -1, endOffset: -1 }
const noLeader = { leaderId: -1, leaderEpoch: -1 }
const noSnapshot = { endOffset: -1, epoch: -1 }

function emptyPartition(partitionIndex: number, errorCode: number): FetchedPartition {
  return {
    partitionIndex,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: noEpoch,
    currentLeader: noLeader,
    snapshotId: noSnapshot,
    abortedTransactions: null,
    preferredReadReplica: -1,
    records: []
  }
}

function fetchedPartitions(context: BrokerContext, request: Request): Partition[] {
  return request.topics.flatMap((topic) => {
    const name = topicName(context, topic)
    return topic.partitions.flatMap(({ partition }) => context.partitions.get(name, partition) ?? [])
  })
}
