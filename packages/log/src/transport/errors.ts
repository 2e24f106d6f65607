import { MillraceError } from '../errors.ts'

/** The connection was lost before the answer came, or the broker is gone. Whether the request was carried out is unknown. */
export class DisconnectedError extends MillraceError {
  readonly code = 'MILLRACE_DISCONNECTED'
}

/** No answer came within the request's `timeoutMs`. Whether the request was carried out is unknown. */
export class RequestTimeoutError extends MillraceError {
  readonly code = 'MILLRACE_REQUEST_TIMEOUT'
}
