import type { HttpAnswer } from '../../http-port/http-port.ts'
import type { SinkRecord } from '../../sink.ts'
import { isPassing } from '../headers.ts'

/**
 * What an answer means: the records were taken; the request may succeed later; they can never be taken; the target is not set up, whatever the
 * records; or one record of several is refused, and the others are sent again.
 */
export type HttpVerdict =
  | 'taken'
  | 'later'
  | 'refused'
  | 'setup'
  | { readonly refused: SinkRecord; readonly reason: string }

/**
 * By the status: 2xx taken, and of a DELETE also 404 and 410; 408, 425, 429 and 5xx later; 3xx, 401, 403 and 407 setup; any other refused. 409 means
 * that the same request is still under way, if it was sent before, and a conflict otherwise.
 */
export function verdictOf(
  { status }: HttpAnswer,
  { method, repeated }: { readonly method: string; readonly repeated: boolean }
): Exclude<HttpVerdict, object> {
  if (status >= 200 && status < 300) return 'taken'
  if (method === 'DELETE' && (status === 404 || status === 410)) return 'taken'
  if (isPassing(status) || (status === 409 && repeated)) return 'later'
  if (status < 400 || status === 401 || status === 403 || status === 407) return 'setup'
  return 'refused'
}
