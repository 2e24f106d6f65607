import { NetworkError } from '../errors.ts'
import { DisconnectedError, RequestTimeoutError } from '../transport/errors.ts'
import { ProtocolError } from '../wire/errors.ts'

/** Whether a request failed on its way, so that nobody knows if it was carried out. */
export function isTransportFailure(error: unknown): boolean {
  return error instanceof DisconnectedError || error instanceof RequestTimeoutError || error instanceof NetworkError
}

/** Whether a request may be repeated: it was lost on its way, or Kafka calls its error retriable. */
export function isRetriableFailure(error: unknown): boolean {
  return isTransportFailure(error) || (error instanceof ProtocolError && error.retriable)
}
