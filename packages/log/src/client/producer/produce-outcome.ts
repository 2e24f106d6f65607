import { errorName, isRetriable } from '../../wire/errors.ts'

/**
 * What a broker's answer to one batch means for the producer:
 * - `acknowledged`: it is written (a duplicate was written before);
 * - `repeat`: try again; `repeatUnknown`: try again, and it may be written already;
 * - `renumber`: it was not written, and its sequence number can never fit again;
 * - `split`: too large for the topic, but not its single records;
 * - `abort`: the transaction cannot commit; `fatal`: the producer cannot go on; `refused`: only this batch is lost.
 */
export type ProduceOutcome =
  | 'acknowledged'
  | 'repeat'
  | 'repeatUnknown'
  | 'renumber'
  | 'split'
  | 'abort'
  | 'fatal'
  | 'refused'

/** What the judgement depends on beside the code. */
export interface ProduceCircumstances {
  readonly transactional: boolean
  readonly idempotent: boolean
  /** Whether an earlier batch of the partition still waits for its answer or its repetition. */
  readonly earlierUndecided: boolean
  readonly recordCount: number
}

/** Judges the error code of one batch. */
export function judgeProduce(errorCode: number, circumstances: ProduceCircumstances): ProduceOutcome {
  const { transactional, idempotent, earlierUndecided, recordCount } = circumstances
  switch (errorName(errorCode)) {
    case 'NONE':
    case 'DUPLICATE_SEQUENCE_NUMBER':
      return 'acknowledged'
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
      if (!idempotent) return 'refused'
      // The batch before it failed and will be repeated: this one only has to wait for its turn.
      if (earlierUndecided) return 'repeat'
      return transactional ? 'abort' : 'renumber'
    case 'UNKNOWN_PRODUCER_ID':
    case 'INVALID_PRODUCER_EPOCH':
      if (!idempotent) return 'refused'
      return transactional ? 'abort' : 'renumber'
    case 'REQUEST_TIMED_OUT':
    case 'NOT_ENOUGH_REPLICAS_AFTER_APPEND':
    case 'NETWORK_EXCEPTION':
      return 'repeatUnknown'
    case 'MESSAGE_TOO_LARGE':
      return recordCount > 1 ? 'split' : 'refused'
    case 'TRANSACTION_ABORTABLE':
      return 'abort'
    case 'PRODUCER_FENCED':
    case 'INVALID_PRODUCER_ID_MAPPING':
    case 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED':
    case 'INVALID_TXN_STATE':
      return transactional ? 'fatal' : 'refused'
    default:
      return isRetriable(errorCode) ? 'repeat' : 'refused'
  }
}
