import { MillraceError } from '../errors.ts'

/** The broker is closed, or closing, and takes no more requests. Open the log again. */
export class BrokerClosedError extends MillraceError {
  readonly code = 'MILLRACE_BROKER_CLOSED'
}
