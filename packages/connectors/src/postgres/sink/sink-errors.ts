import { MillraceError } from '@millrace/log'
import { TransientSinkError } from '../../errors.ts'
import { TargetAccessError, TargetRefusedError } from '../../sql/errors.ts'
import { isAccessState, isTransientState, sqlStateOf } from '../sql-state.ts'

/** A prepared statement's result changed with its table; prepared anew, it works. */
const STALE_PLAN = '0A000'

/**
 * The error to throw for one of the driver's. What is none of the server's answers is a connection that broke, or was never made.
 * @param what what could not be done, and where.
 */
export function asSinkError(error: unknown, what: string): unknown {
  // A value that cannot be written is the record's fault: the runner finds out which.
  if (error instanceof MillraceError || error instanceof RangeError || error instanceof TypeError) return error
  if (!(error instanceof Error)) return error
  const state = sqlStateOf(error)
  if (state === undefined)
    return new TransientSinkError(`${what}: the connection failed: ${error.message}`, { cause: error })
  const message = `${what}: PostgreSQL says ${error.message} (${state})${detailOf(error)}`
  if (isTransientState(state) || (state === STALE_PLAN && error.message.includes('cached plan'))) {
    return new TransientSinkError(message, { cause: error })
  }
  if (isAccessState(state)) return new TargetAccessError(`${message}: ${adviceFor(state)}`, state, { cause: error })
  const table = 'table' in error && typeof error.table === 'string' ? error.table : undefined
  return new TargetRefusedError(message, { table, targetCode: state }, { cause: error })
}

function detailOf(error: Error): string {
  return 'detail' in error && typeof error.detail === 'string' ? `, ${error.detail}` : ''
}

function adviceFor(state: string): string {
  if (state === '42501') return 'grant the privilege to the user of the connection'
  return state === '3D000'
    ? 'create the database, or name another in the connection'
    : 'mend user and password of the connection'
}
