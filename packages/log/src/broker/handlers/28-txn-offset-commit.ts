import type { RequestOf } from '../../wire/api.ts'
import { ErrorCode } from '../../wire/errors.ts'
import type { txnOffsetCommit } from '../../wire/messages/index.ts'
import type { OffsetCommit } from '../coordination/group-host.ts'
import { checkOffsets } from '../coordination/offsets-request.ts'
import { OFFSETS_TOPIC } from '../coordination/partition-directory.ts'
import { failureOf } from '../failure.ts'
import type { BrokerContext, Handler } from '../handler.ts'

/** Version from which on the offsets' partition becomes part of the transaction by the commit itself (KIP-890). */
const FIRST_ADDING_VERSION = 5
/** Version from which on clients know TRANSACTION_ABORTABLE. */
const FIRST_ABORTABLE_VERSION = 4

type Request = RequestOf<typeof txnOffsetCommit>

/**
 * TxnOffsetCommit: positions that hold when the producer's transaction commits.
 *
 * 1. The group must accept the committer, so that a zombie does not even begin a transaction.
 * 2. The partition of `__consumer_offsets` becomes part of the transaction, or, with the older protocol, must be.
 * 3. The offsets are appended in the producer's name, if the group still accepts the committer.
 */
export const handleTxnOffsetCommit: Handler<typeof txnOffsetCommit> = async (context, request, session) => {
  const { groupId, memberId, groupInstanceId: instanceId, generationId: generation } = request
  const checked = checkOffsets(context, groupId, { topics: request.topics, expireTimestampMs: -1 })
  const commit: OffsetCommit = {
    groupId,
    committer: { memberId, instanceId, generation, transactional: true },
    offsets: checked.valid,
    producer: { producerId: request.producerId, producerEpoch: request.producerEpoch }
  }
  try {
    const outcome = await commitInTransaction(context, { request, commit, apiVersion: session.apiVersion })
    return { throttleTimeMs: 0, topics: checked.answer(outcome) }
  } catch (error) {
    const failure = failureOf(error)
    if (failure === undefined) throw error
    // A partition refuses the epoch when a later one ended its transaction meanwhile; anything else is the disk's.
    const fenced = failure.errorCode === ErrorCode.INVALID_PRODUCER_EPOCH
    const outcome = fenced ? failure.errorCode : ErrorCode.COORDINATOR_NOT_AVAILABLE
    return { throttleTimeMs: 0, topics: checked.answer(outcome) }
  }
}

async function commitInTransaction(
  context: BrokerContext,
  { request, commit, apiVersion }: { request: Request; commit: OffsetCommit; apiVersion: number }
): Promise<number> {
  const refusal = context.groups.fence(commit.groupId, commit.committer)
  if (refusal !== ErrorCode.NONE) return refusal
  const index = context.groups.partitionOf(commit.groupId)
  const joined = await joinTransaction(context, { request, index, apiVersion })
  if (joined !== ErrorCode.NONE) return joined
  return context.groups.commit(commit)
}

async function joinTransaction(
  context: BrokerContext,
  { request, index, apiVersion }: { request: Request; index: number; apiVersion: number }
): Promise<number> {
  const partitions = new Map([[OFFSETS_TOPIC, [index]]])
  if (apiVersion >= FIRST_ADDING_VERSION) return context.transactions.addPartitions(request, partitions, 2)
  const verified = await context.transactions.verifyPartitions(request, partitions)
  const unknownToClient = verified === ErrorCode.TRANSACTION_ABORTABLE && apiVersion < FIRST_ABORTABLE_VERSION
  return unknownToClient ? ErrorCode.INVALID_TXN_STATE : verified
}
