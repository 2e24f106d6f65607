import type { ConnectorEvent } from '../../connector-event.ts'
import { TransientSourceError } from '../../errors.ts'
import type { PostgresClient } from '../driver.ts'
import { quoteIdentifier, quoteLiteral } from './connection.ts'
import { PostgresPreflightError, type PreflightProblem } from './errors.ts'
import { identityProblems, publicationState } from './publication.ts'
import type { ServerIdentity, SlotState } from './slot.ts'
import { type CatalogTable, qualifiedName, quotedName } from './tables/table-shape.ts'

const OLDEST_VERSION = 140_000
const FAILOVER_VERSION = 170_000
const OPERATIONS = ['insert', 'update', 'delete', 'truncate']

/** What the checks look at. */
export interface PreflightParts {
  readonly client: PostgresClient
  readonly source: string
  readonly slotName: string
  readonly publication: string
  readonly slot: SlotState | undefined
  readonly failoverSlot: boolean
  readonly report: (event: ConnectorEvent) => void
}

/**
 * Settings of the server and rights of the user.
 * @throws PostgresPreflightError naming all that is missing, each with what mends it; TransientSourceError of a standby, which may be promoted.
 */
export async function checkServer(parts: PreflightParts): Promise<void> {
  const { client, slot, slotName, source } = parts
  const { rows } = await client.query({ text: SERVER })
  const server = rows[0]
  if (server.is_standby === true) {
    throw new TransientSourceError(
      `the server of source ${source} is a standby: connect to the primary, or wait until it is promoted`
    )
  }
  const problems: PreflightProblem[] = []
  if (Number(server.version) < OLDEST_VERSION) {
    problems.push({
      setting: 'server version',
      found: String(server.version),
      fix: 'upgrade to PostgreSQL 14 or newer'
    })
  }
  if (parts.failoverSlot && Number(server.version) < FAILOVER_VERSION) {
    problems.push({
      setting: 'failoverSlot',
      found: `the server has version ${server.version}, which keeps no slots on standbys`,
      fix: 'upgrade to PostgreSQL 17 or newer, or leave failoverSlot out'
    })
  }
  if (server.wal_level !== 'logical') {
    problems.push({
      setting: 'wal_level',
      found: String(server.wal_level),
      fix: `ALTER SYSTEM SET wal_level = 'logical'; then restart the server (in postgresql.conf: wal_level = logical)`
    })
  }
  if (server.may_replicate !== true) {
    problems.push({
      setting: `role ${server.role}`,
      found: 'it has not the attribute REPLICATION',
      fix: `ALTER ROLE ${quoteIdentifier(String(server.role))} REPLICATION`
    })
  }
  if (!slot && Number(server.slots) >= Number(server.max_slots)) {
    problems.push(full('max_replication_slots', 'slots', server.max_slots))
  }
  if (slot?.activePid === undefined && Number(server.senders) >= Number(server.max_senders)) {
    problems.push(full('max_wal_senders', 'senders', server.max_senders))
  }
  if (slot && slot.database !== server.database) {
    problems.push({
      setting: `replication slot ${slotName}`,
      found: `it belongs to the database ${slot.database}`,
      fix: 'name another slot'
    })
  }
  if (slot && slot.plugin !== 'pgoutput') {
    problems.push({
      setting: `replication slot ${slotName}`,
      found: `it was made for the plugin ${slot.plugin}`,
      fix: `SELECT pg_drop_replication_slot(${quoteLiteral(slotName)}), or name another slot`
    })
  }
  if (problems.length > 0) throw new PostgresPreflightError(source, problems)
  if (server.keep === '-1') warnUnbounded(parts)
}

/**
 * The publication's tables: each must be readable, and have an identity for its updates and deletes.
 * @throws PostgresPreflightError with these problems and the others found before.
 */
export async function checkTables(
  parts: PreflightParts,
  tables: readonly CatalogTable[],
  others: readonly PreflightProblem[]
): Promise<void> {
  const { client, source, report, publication } = parts
  const operations = (await publicationState(client, publication))?.operations ?? []
  const needsIdentity = operations.includes('update') || operations.includes('delete')
  const problems: PreflightProblem[] = [...others]
  for (const table of tables) {
    problems.push(...(await privilegeProblems(client, table)))
    if (needsIdentity && !table.hasIdentity) problems.push(...identityProblems([table]))
    else if (table.key.length === 0) {
      report({
        level: 'warning',
        code: 'table-without-key',
        message: `${qualifiedName(table)} has no primary key: its records have no key, and its rows cannot be told apart`
      })
    }
  }
  if (problems.length > 0) throw new PostgresPreflightError(source, problems)
  const unpublished = OPERATIONS.filter((operation) => !operations.includes(operation))
  if (unpublished.length > 0) warnPartial(parts, unpublished)
}

/** What keeps the user from reading all rows of the table. */
async function privilegeProblems(client: PostgresClient, table: CatalogTable): Promise<PreflightProblem[]> {
  const { rows } = await client.query({
    text: `select has_schema_privilege(c.relnamespace, 'usage') as may_enter, has_table_privilege(c.oid, 'select') as may_read,
      row_security_active(c.oid) as is_restricted, current_user as role from pg_class c where c.oid = $1::oid`,
    values: [table.oid]
  })
  const role = String(rows[0]?.role)
  const problems: PreflightProblem[] = []
  const lacks = (what: string, found: string, fix: string) =>
    problems.push({ setting: `${what} ${qualifiedName(table)}`, found: `role ${role} ${found}`, fix })
  if (rows[0]?.may_enter === false) {
    const fix = `GRANT USAGE ON SCHEMA ${quoteIdentifier(table.schema)} TO ${quoteIdentifier(role)}`
    lacks('privilege on', `may not enter schema ${table.schema}`, fix)
  }
  if (rows[0]?.may_read === false) {
    lacks('privilege on', 'may not read it', `GRANT SELECT ON ${quotedName(table)} TO ${quoteIdentifier(role)}`)
  }
  if (rows[0]?.is_restricted === true) {
    lacks('row-level security of', 'does not see all rows', `ALTER ROLE ${quoteIdentifier(role)} BYPASSRLS`)
  }
  return problems
}

/** Warns of a failover since the position was written. */
export function checkTimeline(server: ServerIdentity, before: number, report: PreflightParts['report']): void {
  if (server.timeline === before) return
  report({
    level: 'warning',
    code: 'timeline-changed',
    message: `the server is on timeline ${server.timeline} now, was on ${before}: there was a failover; the slot covers the position, so reading goes on`
  })
}

const SERVER = `select current_setting('server_version_num')::int as version, current_setting('wal_level') as wal_level,
  current_setting('max_slot_wal_keep_size') as keep, current_user as role,
  current_database() as database, pg_is_in_recovery() as is_standby,
  (select rolreplication or rolsuper from pg_roles where rolname = current_user) as may_replicate,
  current_setting('max_replication_slots')::int as max_slots, (select count(*)::int from pg_replication_slots) as slots,
  current_setting('max_wal_senders')::int as max_senders,
  (select count(*)::int from pg_stat_replication) as senders`

function full(setting: string, what: string, limit: unknown): PreflightProblem {
  return {
    setting,
    found: `all ${limit} ${what} are taken`,
    fix: `ALTER SYSTEM SET ${setting} = ${Number(limit) + 4}; then restart the server; or free one (SELECT * FROM pg_replication_slots)`
  }
}

function warnUnbounded({ slotName, report }: PreflightParts): void {
  report({
    level: 'warning',
    code: 'wal-unbounded',
    message:
      `max_slot_wal_keep_size is -1: while this source is away, slot ${slotName} makes the server keep its log without limit, until the disk is ` +
      `full. ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf() bounds it (the slot is lost beyond that)`
  })
}

function warnPartial({ publication, report }: PreflightParts, unpublished: readonly string[]): void {
  report({
    level: 'warning',
    code: 'publication-partial',
    message:
      `publication ${publication} leaves out ${unpublished.join(', ')}: they are not captured. ALTER PUBLICATION ` +
      `${quoteIdentifier(publication)} SET (publish = '${OPERATIONS.join(', ')}') publishes them`
  })
}
