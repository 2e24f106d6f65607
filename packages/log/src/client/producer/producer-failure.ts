import type { MillraceError } from '../../errors.ts'
import { type ErrorName, ProtocolError } from '../../wire/errors.ts'
import { AbortableTransactionError, CommitRefusedError, FatalProducerError, ProducerFencedError } from '../errors.ts'
import { isRefusedByGroup } from '../request-failure.ts'

const fencing: ReadonlySet<ErrorName> = new Set<ErrorName>(['PRODUCER_FENCED', 'INVALID_PRODUCER_EPOCH'])

/** Errors that spoil the transaction and nothing else. */
const abortable: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'TRANSACTION_ABORTABLE',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'OFFSET_METADATA_TOO_LARGE',
  'UNKNOWN_TOPIC_OR_PARTITION'
])

/** What a failed request of a transaction means for the producer: fenced, to be aborted, or the end. */
export function transactionFailure(transactionalId: string, cause: unknown, groupId?: string): MillraceError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (cause instanceof ProtocolError) {
    if (fencing.has(cause.errorName)) return new ProducerFencedError(transactionalId, { cause })
    if (groupId !== undefined && isRefusedByGroup(cause)) {
      const refused = new CommitRefusedError(groupId, { cause })
      return new AbortableTransactionError(
        `transaction of '${transactionalId}' has to be aborted: ${refused.message}`,
        { cause: refused }
      )
    }
    if (abortable.has(cause.errorName)) {
      return new AbortableTransactionError(`transaction of '${transactionalId}' has to be aborted: ${reason}`, {
        cause
      })
    }
  }
  return new FatalProducerError(`producer '${transactionalId}' cannot go on: ${reason}; close it and make a new one`, {
    cause
  })
}
