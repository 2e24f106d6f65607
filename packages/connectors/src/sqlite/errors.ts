import { TransientSinkError } from '../errors.ts'
import { TargetRefusedError } from '../sql/errors.ts'

/** SQLite's primary result codes after which the same may succeed later: busy, locked, no memory, I/O error, full, cannot open. */
const TRANSIENT_CODES: ReadonlySet<number> = new Set([5, 6, 7, 10, 13, 14])
const PRIMARY_CODE_MASK = 0xff

/** The error to throw for one of SQLite's; other errors are returned as they are. */
export function asSinkError(error: unknown, what: string): unknown {
  const code = resultCode(error)
  if (code === undefined || !(error instanceof Error)) return error
  const message = `${what}: SQLite says ${error.message} (result code ${code})`
  if (TRANSIENT_CODES.has(code & PRIMARY_CODE_MASK)) return new TransientSinkError(message, { cause: error })
  return new TargetRefusedError(message, { targetCode: String(code) }, { cause: error })
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode : undefined
}
