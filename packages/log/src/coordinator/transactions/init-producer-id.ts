import { ErrorCode } from '../../wire/errors.ts'
import { refuse, type TransactionDecision, write } from './decision.ts'
import { abortByCoordinator } from './end-transaction.ts'
import {
  isEnding,
  isEpochExhausted,
  LAST_CLIENT_EPOCH,
  noPartitions,
  type ProducerIdentity,
  type Transaction
} from './transaction.ts'

/** A producer asks for its identity, and so fences whoever used the transactional id before. */
export interface InitProducerIdInput {
  readonly transactionalId: string
  readonly timeoutMs: number
  /** What the producer believes it is, when it asks for a new epoch (KIP-360); undefined when it starts. */
  readonly expected: ProducerIdentity | undefined
  readonly inProcess: boolean
  /** A producer id never handed out; undefined until a decision asked for one. */
  readonly freshProducerId: number | undefined
  readonly nowMs: number
}

/**
 * Decides about InitProducerId for a transactional id.
 *
 * 1. An id not seen before gets a fresh producer id and epoch 0.
 * 2. With an open transaction: abort it first, with an epoch that fences its producer.
 * 3. Otherwise the epoch grows by one; when it is used up, a fresh producer id starts at epoch 0.
 *
 * An expected identity must be the current one; the one before, so that a retry whose answer was lost gets the same answer; or
 * the last of the previous producer id. Anything else is a zombie.
 */
export function initProducerId(current: Transaction | undefined, input: InitProducerIdInput): TransactionDecision {
  if (current === undefined) return beginLife(input)
  if (isEnding(current)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  const { expected } = input
  if (expected !== undefined && !isPlausible(current, expected)) return refuse(ErrorCode.PRODUCER_FENCED)
  if (current.status === 'Ongoing') {
    const ownRequest = expected !== undefined
    if (ownRequest && !isCurrent(current, expected)) return refuse(ErrorCode.PRODUCER_FENCED)
    return { kind: 'abort-first', next: abortByCoordinator(current, { nowMs: input.nowMs, keepsProducer: ownRequest }) }
  }
  if (needsNewProducerId(current, expected)) return rollOver(current, input)
  return nextEpoch(current, input)
}

function beginLife(input: InitProducerIdInput): TransactionDecision {
  if (input.freshProducerId === undefined) return { kind: 'needs-producer-id' }
  return write({
    transactionalId: input.transactionalId,
    producerId: input.freshProducerId,
    producerEpoch: 0,
    lastProducerEpoch: -1,
    previousProducerId: -1,
    nextProducerId: -1,
    clientVersion: 0,
    timeoutMs: input.timeoutMs,
    status: 'Empty',
    partitions: noPartitions,
    lastUpdateMs: input.nowMs,
    startMs: -1,
    inProcess: input.inProcess
  })
}

function isCurrent(current: Transaction, expected: ProducerIdentity): boolean {
  return expected.producerId === current.producerId && expected.producerEpoch === current.producerEpoch
}

function isPlausible(current: Transaction, expected: ProducerIdentity): boolean {
  if (expected.producerId === current.producerId) return true
  const justRolledOver = expected.producerId === current.previousProducerId && current.producerEpoch === 0
  return justRolledOver && isEpochExhausted(expected.producerEpoch)
}

function needsNewProducerId(current: Transaction, expected: ProducerIdentity | undefined): boolean {
  if (!isEpochExhausted(current.producerEpoch)) return false
  return expected === undefined || isCurrent(current, expected) || isOneBefore(current, expected)
}

/** Whether the coordinator bumped the epoch at the wish of this very producer, which asks again. */
function isOneBefore(current: Transaction, expected: ProducerIdentity): boolean {
  return (
    expected.producerId === current.producerId &&
    expected.producerEpoch === LAST_CLIENT_EPOCH &&
    expected.producerEpoch === current.lastProducerEpoch
  )
}

function rollOver(current: Transaction, input: InitProducerIdInput): TransactionDecision {
  if (input.freshProducerId === undefined) return { kind: 'needs-producer-id' }
  return write({
    ...emptied(current, input),
    producerId: input.freshProducerId,
    producerEpoch: 0,
    lastProducerEpoch: input.expected?.producerEpoch ?? -1,
    previousProducerId: current.producerId
  })
}

function nextEpoch(current: Transaction, input: InitProducerIdInput): TransactionDecision {
  const { expected } = input
  const next = emptied(current, input)
  if (expected === undefined) return write({ ...next, producerEpoch: current.producerEpoch + 1, lastProducerEpoch: -1 })
  if (isCurrent(current, expected)) {
    return write({ ...next, producerEpoch: current.producerEpoch + 1, lastProducerEpoch: current.producerEpoch })
  }
  if (expected.producerEpoch === current.lastProducerEpoch) return write(next)
  return refuse(ErrorCode.PRODUCER_FENCED)
}

function emptied(current: Transaction, input: InitProducerIdInput): Transaction {
  return {
    ...current,
    nextProducerId: -1,
    timeoutMs: input.timeoutMs,
    status: 'Empty',
    partitions: noPartitions,
    lastUpdateMs: input.nowMs,
    startMs: -1,
    inProcess: input.inProcess
  }
}
