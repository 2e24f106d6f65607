import { InvariantError } from '../../errors.ts'
import { ErrorCode } from '../../wire/errors.ts'
import { refuse, type TransactionDecision } from './decision.ts'
import {
  isEnding,
  isEpochExhausted,
  LAST_CLIENT_EPOCH,
  noPartitions,
  type ProducerIdentity,
  type Transaction,
  type TransactionVersion
} from './transaction.ts'

/** A producer commits or aborts. */
export interface EndTransactionInput extends ProducerIdentity {
  readonly commit: boolean
  readonly clientVersion: TransactionVersion
  /** A producer id never handed out; undefined until a decision asked for one. */
  readonly freshProducerId: number | undefined
  readonly nowMs: number
}

/**
 * Decides about EndTxn.
 *
 * With KIP-890 the end bumps the epoch: the logged state and the markers carry the next one, and the answer tells the client. The epoch in
 * the request therefore says which transaction it means: the current epoch the open one, the one before it the one that ended last.
 * A delayed or repeated request can never end a later transaction. The older protocol keeps the epoch and has that hole.
 */
export function endTransaction(current: Transaction | undefined, input: EndTransactionInput): TransactionDecision {
  if (current === undefined) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (isEnding(current)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  return input.clientVersion === 2 ? endBumping(current, input) : endKeepingEpoch(current, input)
}

function endBumping(current: Transaction, input: EndTransactionInput): TransactionDecision {
  const completed = current.status === 'CompleteCommit' || current.status === 'CompleteAbort'
  if (completed && isRepeatOfLastEnd(current, input)) {
    const same = (current.status === 'CompleteCommit') === input.commit
    return same ? { kind: 'accept', answer: current } : refuse(ErrorCode.INVALID_TXN_STATE)
  }
  if (current.producerId !== input.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (current.producerEpoch !== input.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED)
  // An abort without partitions is legal: the producer may not know whether a batch reached the broker, and wants a new epoch.
  if (current.status !== 'Ongoing' && input.commit) return refuse(ErrorCode.INVALID_TXN_STATE)
  const exhausted = isEpochExhausted(current.producerEpoch)
  if (exhausted && input.freshProducerId === undefined) return { kind: 'needs-producer-id' }
  const next: Transaction = {
    ...current,
    status: input.commit ? 'PrepareCommit' : 'PrepareAbort',
    clientVersion: 2,
    producerEpoch: current.producerEpoch + 1,
    lastProducerEpoch: current.producerEpoch,
    nextProducerId: exhausted && input.freshProducerId !== undefined ? input.freshProducerId : -1,
    startMs: current.status === 'Ongoing' ? current.startMs : input.nowMs,
    lastUpdateMs: input.nowMs
  }
  return { kind: 'write', next, answer: identityAfter(next) }
}

/** Whether the request is the one that ended the last transaction, its answer lost. */
function isRepeatOfLastEnd(current: Transaction, input: EndTransactionInput): boolean {
  if (current.clientVersion !== 2 || current.lastProducerEpoch !== input.producerEpoch) return false
  if (current.producerId === input.producerId) return current.producerEpoch === input.producerEpoch + 1
  const rolledOver = current.previousProducerId === input.producerId && input.producerEpoch === LAST_CLIENT_EPOCH
  return rolledOver && current.producerEpoch === 0
}

function endKeepingEpoch(current: Transaction, input: EndTransactionInput): TransactionDecision {
  if (current.producerId !== input.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (current.producerEpoch !== input.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED)
  if (current.status === 'Ongoing') {
    const next: Transaction = {
      ...current,
      status: input.commit ? 'PrepareCommit' : 'PrepareAbort',
      clientVersion: 0,
      lastUpdateMs: input.nowMs
    }
    return { kind: 'write', next, answer: current }
  }
  const same = current.status === (input.commit ? 'CompleteCommit' : 'CompleteAbort')
  return same ? { kind: 'accept', answer: current } : refuse(ErrorCode.INVALID_TXN_STATE)
}

/**
 * The open transaction ends by the coordinator's will: its producer started anew, timed out, or ended with its process. The markers carry an
 * epoch above the producer's, so the partitions fence it. With `keepsProducer` the producer itself asked, and may go on from there.
 */
export function abortByCoordinator(
  current: Transaction,
  options: { readonly nowMs: number; readonly keepsProducer: boolean }
): Transaction {
  if (current.status !== 'Ongoing') {
    throw new InvariantError(
      `transactional id ${current.transactionalId} is ${current.status}: there is nothing to abort`
    )
  }
  return {
    ...current,
    status: 'PrepareAbort',
    producerEpoch: current.producerEpoch + 1,
    lastProducerEpoch: options.keepsProducer ? current.producerEpoch : -1,
    lastUpdateMs: options.nowMs
  }
}

/** The state after all markers of an ending transaction are written. */
export function completeTransaction(ending: Transaction, nowMs: number): Transaction {
  if (!isEnding(ending)) {
    throw new InvariantError(
      `transactional id ${ending.transactionalId} is ${ending.status}: there is nothing to complete`
    )
  }
  const { producerId, producerEpoch } = identityAfter(ending)
  return {
    ...ending,
    status: ending.status === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort',
    producerId,
    producerEpoch,
    previousProducerId: producerId === ending.producerId ? ending.previousProducerId : ending.producerId,
    nextProducerId: -1,
    partitions: noPartitions,
    startMs: -1,
    lastUpdateMs: nowMs
  }
}

function identityAfter(ending: Transaction): ProducerIdentity {
  if (ending.nextProducerId !== -1) return { producerId: ending.nextProducerId, producerEpoch: 0 }
  return { producerId: ending.producerId, producerEpoch: ending.producerEpoch }
}
