import { coordinatorPartition } from '../../coordinator/coordinator-partition.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { findCoordinator } from '../../wire/messages/index.ts'
import { type InternalTopic, OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from '../coordination/partition-directory.ts'
import { failureOrThrow } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'

const groupKeyType = 0
const transactionKeyType = 1
/** Version from which on several keys are asked for at once. */
const FIRST_BATCHED_VERSION = 4

interface Found {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

/** FindCoordinator: the leader of the internal topic's partition that keeps the key. The topic is made if this is its first use. */
export const handleFindCoordinator: Handler<typeof findCoordinator> = async (context, request, session) => {
  const topic = topicOf(request.keyType)
  const batched = session.apiVersion >= FIRST_BATCHED_VERSION
  const keys = batched ? request.coordinatorKeys : [request.key]
  const problem = topic === undefined ? notFound(ErrorCode.INVALID_REQUEST, 'key type is not 0 or 1') : undefined
  const unavailable = topic === undefined ? undefined : await ensure(context, topic)
  const find = (key: string): Found => problem ?? unavailable ?? coordinatorOf(context, topic ?? OFFSETS_TOPIC, key)
  const single = batched ? notFound(ErrorCode.NONE, null) : find(request.key)
  const coordinators = batched ? keys.map((key) => ({ key, ...find(key) })) : []
  return { throttleTimeMs: 0, ...single, coordinators }
}

function topicOf(keyType: number): InternalTopic | undefined {
  if (keyType === groupKeyType) return OFFSETS_TOPIC
  return keyType === transactionKeyType ? TRANSACTIONS_TOPIC : undefined
}

async function ensure(context: BrokerContext, topic: InternalTopic): Promise<Found | undefined> {
  try {
    await context.partitions.ensureInternalTopic(topic)
    return undefined
  } catch (error) {
    return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE, failureOrThrow(error).errorMessage)
  }
}

function coordinatorOf(context: BrokerContext, topic: InternalTopic, key: string): Found {
  const partitions = context.topics.get(topic)?.partitions ?? []
  const leader = partitions.length === 0 ? -1 : partitions[coordinatorPartition(key, partitions.length)].leader
  if (leader !== context.brokerId) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE, null)
  return { errorCode: ErrorCode.NONE, errorMessage: null, nodeId: context.brokerId, ...context.advertised }
}

function notFound(errorCode: number, errorMessage: string | null): Found {
  return { errorCode, errorMessage, nodeId: -1, host: '', port: -1 }
}
