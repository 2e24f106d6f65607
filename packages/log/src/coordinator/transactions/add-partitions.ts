import { ErrorCode } from '../../wire/errors.ts'
import { refuse, type TransactionDecision, write } from './decision.ts'
import {
  hasPartitions,
  isEnding,
  type ProducerIdentity,
  type Transaction,
  type TransactionPartitions,
  type TransactionVersion,
  unionOfPartitions
} from './transaction.ts'

/** Partitions become part of the producer's transaction, which begins with the first. */
export interface AddPartitionsInput extends ProducerIdentity {
  readonly partitions: TransactionPartitions
  readonly clientVersion: TransactionVersion
  readonly nowMs: number
}

/** Decides about adding partitions, asked for by the client (older protocol) or implied by what it produced (KIP-890). */
export function addPartitions(current: Transaction | undefined, input: AddPartitionsInput): TransactionDecision {
  const refusal = identityProblem(current, input)
  if (refusal !== undefined) return refusal
  if (current === undefined) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  const ongoing = current.status === 'Ongoing'
  if (ongoing && hasPartitions(current, input.partitions)) return { kind: 'accept', answer: current }
  return write({
    ...current,
    status: 'Ongoing',
    clientVersion: input.clientVersion,
    partitions: ongoing
      ? unionOfPartitions(current.partitions, input.partitions)
      : unionOfPartitions(new Map(), input.partitions),
    lastUpdateMs: input.nowMs,
    startMs: ongoing ? current.startMs : input.nowMs
  })
}

/**
 * Decides whether the partitions are part of the producer's open transaction, for a batch of the older protocol that comes
 * to a partition without one (KIP-890, part 1).
 */
export function verifyPartitions(current: Transaction | undefined, input: AddPartitionsInput): TransactionDecision {
  const refusal = identityProblem(current, input)
  if (refusal !== undefined) return refusal
  if (current?.status === 'Ongoing' && hasPartitions(current, input.partitions))
    return { kind: 'accept', answer: current }
  return refuse(ErrorCode.TRANSACTION_ABORTABLE)
}

/** An end under way goes first: after it the producer may have another id, which the client knows already. */
function identityProblem(current: Transaction | undefined, input: ProducerIdentity): TransactionDecision | undefined {
  if (current === undefined) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (isEnding(current)) return refuse(ErrorCode.CONCURRENT_TRANSACTIONS)
  if (current.producerId !== input.producerId) return refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING)
  if (current.producerEpoch !== input.producerEpoch) return refuse(ErrorCode.PRODUCER_FENCED)
  return undefined
}
