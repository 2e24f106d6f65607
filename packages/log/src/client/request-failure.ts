import { NetworkError } from '../errors.ts'
import { DisconnectedError, RequestTimeoutError } from '../transport/errors.ts'
import { type ErrorName, ProtocolError } from '../wire/errors.ts'

/** Whether a request failed on its way, so that nobody knows if it was carried out. */
export function isTransportFailure(error: unknown): boolean {
  return error instanceof DisconnectedError || error instanceof RequestTimeoutError || error instanceof NetworkError
}

/** Whether a request may be repeated: it was lost on its way, or Kafka calls its error retriable. */
export function isRetriableFailure(error: unknown): boolean {
  return isTransportFailure(error) || (error instanceof ProtocolError && error.retriable)
}

/** Errors of a group towards a member that it no longer counts on. */
const refusedByGroup: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
  'FENCED_MEMBER_EPOCH',
  'STALE_MEMBER_EPOCH'
])

/** Whether a group refused the offsets of a member because it has moved on. */
export function isRefusedByGroup(error: unknown): boolean {
  return error instanceof ProtocolError && refusedByGroup.has(error.errorName)
}
