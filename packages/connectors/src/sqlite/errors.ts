import { TransientSinkError } from '../errors.ts'
import { TargetAccessError, TargetRefusedError } from '../sql/errors.ts'
import type { JobsAnswer } from './jobs.ts'

/** SQLite's primary result codes after which the same may succeed later: busy, locked, no memory, I/O error, full, cannot open. */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([5, 6, 7, 10, 13, 14])
/** Those that are about the database whatever is written: no permission, read-only, damaged, not authorized, not a database. */
const DATABASE_CODES: ReadonlySet<number> = new Set([3, 8, 11, 23, 26])
const PRIMARY_CODE_MASK = 0xff

/** The error to throw for a failure of the database; `what` could not be done. */
export function sinkErrorOf(
  { message: reason, name, resultCode }: Extract<JobsAnswer, { readonly kind: 'failed' }>,
  what: string
): TransientSinkError | TargetAccessError | TargetRefusedError {
  if (resultCode === undefined) return new TargetRefusedError(`${what}: ${name}: ${reason}`, { targetCode: name })
  const message = `${what}: SQLite says ${reason} (result code ${resultCode})`
  if (TRANSIENT_CODES.has(resultCode & PRIMARY_CODE_MASK)) return new TransientSinkError(message)
  if (DATABASE_CODES.has(resultCode & PRIMARY_CODE_MASK)) {
    return new TargetAccessError(`${message}. Check the file and who may write it`, String(resultCode))
  }
  return new TargetRefusedError(message, { targetCode: String(resultCode) })
}
