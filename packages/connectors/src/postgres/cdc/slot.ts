import type { PostgresClient } from '../driver.ts'
import { type CdcClient, quoteIdentifier } from './connection.ts'
import { PostgresSlotLostError, toSourceError } from './errors.ts'
import type { StreamPosition } from './position.ts'
import { type Lsn, parseLsn } from './replication/lsn.ts'
import { type CatalogTable, qualifiedName } from './tables/table-shape.ts'

/** Which server and database this is, and where its log ends. */
export interface ServerIdentity {
  readonly systemId: string
  readonly timeline: number
  readonly database: string
  readonly walEnd: Lsn
  /** `server_version_num`, e.g. 180004. */
  readonly version: number
}

/** A replication slot as the server has it. */
export interface SlotState {
  readonly plugin: string
  readonly database: string
  readonly activePid: number | undefined
  readonly confirmed: Lsn
  /** `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string
  readonly invalidation: string | undefined
  /** Standbys keep it, too. */
  readonly failover: boolean
  /** Bytes of log that the server keeps for it. */
  readonly retainedBytes: number
  /** Bytes that may still be written before the slot is lost; undefined without a limit. */
  readonly safeBytes: number | undefined
}

/** Asks the replication connection who it is. */
export async function identifySystem(replication: CdcClient, client: PostgresClient): Promise<ServerIdentity> {
  const { rows } = await replication.query({ text: 'IDENTIFY_SYSTEM' })
  const version = await client.query({ text: `select current_setting('server_version_num')::int as version` })
  const row = rows[0]
  return {
    systemId: String(row.systemid),
    timeline: Number(row.timeline),
    database: String(row.dbname),
    walEnd: parseLsn(String(row.xlogpos)),
    version: Number(version.rows[0].version)
  }
}

/** The slot, if there is one of that name. */
export async function readSlot(client: PostgresClient, slot: string): Promise<SlotState | undefined> {
  const { rows } = await client.query({
    text: `select to_jsonb(s)::text as slot, pg_wal_lsn_diff(
        case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, s.restart_lsn)::float8 as retained
      from pg_replication_slots s where s.slot_name = $1`,
    values: [slot]
  })
  if (rows.length === 0) return undefined
  const found: Readonly<Record<string, unknown>> = JSON.parse(String(rows[0].slot))
  return {
    plugin: String(found.plugin),
    database: String(found.database),
    activePid: typeof found.active_pid === 'number' ? found.active_pid : undefined,
    confirmed: parseLsn(String(found.confirmed_flush_lsn ?? '0/0')),
    walStatus: String(found.wal_status),
    invalidation: typeof found.invalidation_reason === 'string' ? found.invalidation_reason : undefined,
    failover: found.failover === true,
    retainedBytes: Number(rows[0].retained ?? 0),
    safeBytes: typeof found.safe_wal_size === 'number' ? found.safe_wal_size : undefined
  }
}

/** Makes the slot. @returns where it begins, and the name of a snapshot that sees exactly what is before that. */
export async function createSlot(
  replication: CdcClient,
  slot: string,
  { failover = false }: { readonly failover?: boolean } = {}
): Promise<{ readonly start: Lsn; readonly snapshot: string }> {
  try {
    const { rows } = await replication.query({
      // The options in parentheses are newer than the oldest server.
      text: `CREATE_REPLICATION_SLOT ${quoteIdentifier(slot)} LOGICAL pgoutput ${failover ? `(SNAPSHOT 'export', FAILOVER)` : 'EXPORT_SNAPSHOT'}`
    })
    return { start: parseLsn(String(rows[0].consistent_point)), snapshot: String(rows[0].snapshot_name) }
  } catch (error) {
    throw toSourceError(error, `cannot create the replication slot ${slot}`)
  }
}

/** Has standbys keep a slot that they did not keep so far. PostgreSQL 17 or newer. */
export async function keepOnStandbys(replication: CdcClient, slot: string): Promise<void> {
  try {
    await replication.query({ text: `ALTER_REPLICATION_SLOT ${quoteIdentifier(slot)} (FAILOVER)` })
  } catch (error) {
    throw toSourceError(error, `cannot have standbys keep the replication slot ${slot}`)
  }
}

/** Removes the slot; nothing when there is none. */
export async function dropSlot(client: PostgresClient, slot: string): Promise<void> {
  await client.query({
    text: 'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1',
    values: [slot]
  })
}

/** What an exported snapshot sees. */
export async function visibilityOf(client: PostgresClient, snapshot: string): Promise<string> {
  await client.query({ text: 'begin isolation level repeatable read read only' })
  try {
    await client.query({ text: `set transaction snapshot '${snapshot}'` })
    const { rows } = await client.query({ text: 'select pg_current_snapshot()::text as seen' })
    return String(rows[0].seen)
  } finally {
    await client.query({ text: 'rollback' })
  }
}

/** @throws PostgresSlotLostError unless the slot delivers all that came after the position. */
export function checkSlot(
  position: StreamPosition,
  server: ServerIdentity,
  slot: SlotState | undefined
): asserts slot is SlotState {
  const lsn = parseLsn(position.lsn)
  const lost = (reason: PostgresSlotLostError['reason'], found: string) =>
    new PostgresSlotLostError(position.slot, reason, { position: lsn, found })
  if (server.systemId !== position.systemId) {
    throw lost('other-system', `this is the server ${server.systemId}, not ${position.systemId}`)
  }
  if (server.database !== position.database) {
    throw lost('other-system', `this is the database ${server.database}, not ${position.database}`)
  }
  if (!slot) throw lost('missing', 'the slot does not exist any more')
  checkUsable(position.slot, lsn, slot)
  if (slot.confirmed > lsn) throw lost('advanced', 'the slot was made anew, or was advanced by somebody else')
  if (lsn > server.walEnd) {
    throw lost('behind', 'the server’s log ends before that: it was restored, or failed over and lost its end')
  }
}

/** @throws PostgresSlotLostError when the publication is not the one that the position was reached with. */
export function checkPublication(
  position: Pick<StreamPosition, 'slot' | 'lsn' | 'publication'>,
  id: number | undefined
): void {
  if (id === position.publication) return
  throw new PostgresSlotLostError(position.slot, 'republished', {
    position: parseLsn(position.lsn),
    found: `the publication was ${id === undefined ? 'dropped' : 'dropped and made anew'}, and what was changed without it is not delivered`
  })
}

/** @throws PostgresSlotLostError when a table was not published for a while. */
export function checkMemberships(
  position: Pick<StreamPosition, 'slot' | 'lsn'>,
  before: ReadonlyMap<string, string>,
  tables: readonly CatalogTable[]
): void {
  const left = tables.map((table) => ({ name: qualifiedName(table), now: table.membership }))
  const names = left.filter(({ name, now }) => (before.get(name) ?? now) !== now).map(({ name }) => name)
  if (names.length === 0) return
  throw new PostgresSlotLostError(position.slot, 'unpublished', {
    position: parseLsn(position.lsn),
    found: `${names.join(', ')} left the publication for a while, or was dropped and made anew, and what was changed meanwhile is not delivered`
  })
}

/** Why a server gives slots up (`invalidation_reason`), and what keeps it from that. */
const INVALIDATIONS: ReadonlyMap<string, string> = new Map([
  ['wal_removed', 'max_slot_wal_keep_size was too small for the time this source was away'],
  ['idle_timeout', 'idle_replication_slot_timeout was too short for the time this source was away'],
  ['wal_level_insufficient', 'wal_level was not logical for a while'],
  ['rows_removed', 'rows of the catalog that it needed were removed: hot_standby_feedback was off']
])

/** @throws PostgresSlotLostError when the server has given the slot up. */
export function checkUsable(name: string, position: Lsn, slot: SlotState): void {
  if (slot.walStatus !== 'lost' && slot.invalidation === undefined) return
  // Before PostgreSQL 17 the server does not say why: there was one reason.
  const reason = slot.invalidation ?? 'wal_removed'
  throw new PostgresSlotLostError(name, 'invalidated', {
    position,
    found: `the server has invalidated the slot (${reason}): ${INVALIDATIONS.get(reason) ?? 'see the log of the server'}`
  })
}
