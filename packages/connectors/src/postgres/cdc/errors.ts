import { MillraceError } from '@millrace/log'
import { TransientSourceError } from '../../errors.ts'
import { isAccessState, isTransientState, sqlStateOf } from '../sql-state.ts'
import { formatLsn, type Lsn } from './replication/lsn.ts'

/** Something of the database that change data capture needs to be otherwise. */
export interface PreflightProblem {
  /** What it is about, e.g. `wal_level` or `replica identity of public.orders`. */
  readonly setting: string
  /** How it is now. */
  readonly found: string
  /** The SQL statement, or the line of `postgresql.conf` and what to do then, that mends it. */
  readonly fix: string
}

/** The database is not set up for change data capture. All that is missing is named at once, each with what mends it. */
export class PostgresPreflightError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_PREFLIGHT'
  readonly problems: readonly PreflightProblem[]

  constructor(source: string, problems: readonly PreflightProblem[]) {
    const lines = problems.map((problem) => `\n- ${problem.setting}: ${problem.found}. Fix: ${problem.fix}`)
    super(`the database of source ${source} is not ready for change data capture:${lines.join('')}`)
    this.problems = problems
  }
}

/** The server refuses the user, the password, the database, or a privilege (`sqlState` 28…, 3D000, 42501). Mend the connection or the grants. */
export class PostgresAccessError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_ACCESS'
  readonly sqlState: string

  constructor(sqlState: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.sqlState = sqlState
  }
}

/** The slot is held by another connection: a second source with this slot, or the last one's that the server has not missed yet. */
export class PostgresSlotInUseError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_SLOT_IN_USE'
  readonly slot: string
  /** The server's process that holds it, if it says so. */
  readonly pid: number | undefined

  constructor(slot: string, pid: number | undefined, options?: ErrorOptions) {
    const end = pid === undefined ? '' : `; select pg_terminate_backend(${pid}) ends it, if it is a leftover`
    super(
      `replication slot ${slot} is in use by another connection (pid ${pid ?? 'unknown'}): each source needs a slot of its own${end}`,
      options
    )
    this.slot = slot
    this.pid = pid
  }
}

/** Why changes are lost that were made after the last position. */
export type SlotLoss =
  | 'missing'
  | 'invalidated'
  | 'advanced'
  | 'other-system'
  | 'behind'
  | 'republished'
  | 'unpublished'

/**
 * Changes were lost: the slot is gone, was made anew, was advanced by somebody else, was invalidated, or this is another server. What came
 * after the last position cannot be had from the log of the database any more; `onLostSlot: 'resnapshot'` reads the tables again.
 */
export class PostgresSlotLostError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_SLOT_LOST'
  readonly slot: string
  readonly reason: SlotLoss
  /** Everything up to here is in the log. */
  readonly position: string

  constructor(slot: string, reason: SlotLoss, details: { readonly position: Lsn; readonly found: string }) {
    super(
      `replication slot ${slot} does not go on from ${formatLsn(details.position)}, where this source is: ${details.found}. Changes were ` +
        `lost. Start with onLostSlot: 'resnapshot' to read the tables again behind a truncate of each, or begin anew without the source's positions ` +
        `and its topics (rows that were deleted meanwhile would stay in them)`
    )
    this.slot = slot
    this.reason = reason
    this.position = formatLsn(details.position)
  }
}

/** The server refused a statement, or the stream, for a reason that trying again does not mend. */
export class PostgresStatementError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_STATEMENT'
  readonly sqlState: string | undefined

  constructor(sqlState: string | undefined, message: string, options?: ErrorOptions) {
    super(message, options)
    this.sqlState = sqlState
  }
}

/** The replication stream holds what its protocol does not allow. Report it with the server's version; a restart reads the same again. */
export class ReplicationProtocolError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_PROTOCOL'
}

/** A row of the outbox was updated, and `onUpdate: 'fail'` says that this is a mistake: its event was sent when it was inserted. */
export class OutboxUpdatedError extends MillraceError {
  readonly code = 'CONNECTORS_POSTGRES_OUTBOX_UPDATED'
  readonly table: string

  constructor(table: string) {
    super(
      `a row of the outbox ${table} was updated: its event was sent when it was inserted, and stays as it was. Insert an event of its own instead; onUpdate: 'ignore' takes updates in silence`
    )
    this.table = table
  }
}

/** What the driver finds itself: no or no usable password, TLS that the server does not speak, a certificate that is not trusted. */
function isRefusedHere(error: unknown, message: string): boolean {
  if (/^SASL: |does not support SSL|password must be a string/.test(message)) return true
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^(ERR_TLS_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_VERIFY_)/.test(code)
}

/** Turns an error of the driver into the one that says what to do; `doing` is the beginning of its message. */
export function toSourceError(error: unknown, doing: string): MillraceError {
  if (error instanceof MillraceError) return error
  const message = error instanceof Error ? error.message : String(error)
  const state = sqlStateOf(error)
  const options = { cause: error }
  if (state === undefined && isRefusedHere(error, message)) {
    return new PostgresAccessError('28000', `${doing}: ${message}. Check password and ssl of the connection`, options)
  }
  if (state === undefined || isTransientState(state)) return new TransientSourceError(`${doing}: ${message}`, options)
  if (isAccessState(state)) {
    return new PostgresAccessError(state, `${doing}: ${message}. ${accessAdvice(state)}`, options)
  }
  return new PostgresStatementError(state, `${doing}: ${message} (SQLSTATE ${state})`, options)
}

function accessAdvice(state: string): string {
  if (state === '28P01') return 'Check user and password of the connection'
  if (state === '3D000') return 'Check the database name of the connection'
  if (state === '42501') return 'Grant the missing privilege to the user of the connection'
  return 'Check the user of the connection and the server’s pg_hba.conf (it needs a line for the user, the database and this host)'
}
