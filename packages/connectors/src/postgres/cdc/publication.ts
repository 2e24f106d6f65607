import type { PostgresClient } from '../driver.ts'
import { quoteIdentifier, quoteLiteral } from './connection.ts'
import { PostgresPreflightError, type PreflightProblem, toSourceError } from './errors.ts'
import type { TableFilter } from './tables/table-filter.ts'
import { type CatalogTable, IDENTITY_SQL, qualifiedName, quotedName, readTables } from './tables/table-shape.ts'

/** What the publication is to hold. */
export interface PublicationParts {
  readonly client: PostgresClient
  readonly source: string
  readonly publication: string
  readonly serverVersion: number
  readonly filter: TableFilter
  /** Tables that must be in it whatever the filter says. */
  readonly extra: readonly string[]
  /** Whether the publication may be made, and tables added to it. */
  readonly manage: boolean
  /** Name of the slot if it is there already: then it is too late to make a publication. */
  readonly existingSlot: string | undefined
  /** What becomes of tables whose updates and deletes would fail once they are published: an error, or they stay out and are named. */
  readonly withoutIdentity: 'refuse' | 'leave'
}

/** A publication that covers the tables asked for. */
export interface CoveredTables {
  /** Object id of the publication. */
  readonly id: number
  readonly tables: readonly CatalogTable[]
  /** Names of tables that were added to it just now, and the first transaction that began after that. */
  readonly added: readonly string[]
  readonly barrier: number
  /** What keeps other tables out. */
  readonly left: readonly PreflightProblem[]
}

/** A publication as the catalog has it. */
export interface PublicationState {
  /** Its object id. */
  readonly id: number
  /** `insert`, `update`, `delete` and `truncate`, as far as they are published. */
  readonly operations: readonly string[]
  /** Changes of partitions are published as their table's. */
  readonly viaRoot: boolean
}

interface TableName {
  readonly schema: string
  readonly table: string
}

interface WantedTable extends TableName {
  readonly isPartitioned: boolean
  readonly hasIdentity: boolean
}

/** Makes the publication or adds what is missing. @throws PostgresPreflightError naming the statement when that is not allowed. */
export async function ensurePublication(parts: PublicationParts): Promise<CoveredTables> {
  const { client, publication } = parts
  const wanted = await wantedTables(parts)
  const state = await publicationState(client, publication)
  const before = await readTables(client, publication, parts.serverVersion)
  const covered = new Set(before.map(qualifiedName))
  const missing = wanted.filter((table) => !covered.has(qualifiedName(table)))
  const unfit = identityProblems(missing.filter((table) => !table.hasIdentity && publishesChanges(state)))
  const fit = missing.filter((table) => table.hasIdentity || !publishesChanges(state))
  const roots = rootProblems(parts, state, wanted)
  const added = (parts.withoutIdentity === 'refuse' ? missing : fit).filter(
    (one) => roots.length === 0 || !one.isPartitioned
  )
  const problems = [...roots, ...(parts.withoutIdentity === 'refuse' ? unfit : [])]
  const isChanged = await publish(parts, { state, missing: added, problems })
  const { rows } = await client.query({ text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as next' })
  return {
    id: (isChanged ? await publicationState(client, publication) : state)?.id ?? 0,
    // Asked again only when there is need: of thousands of tables that takes a while.
    tables: isChanged ? await readTables(client, publication, parts.serverVersion) : before,
    added: state ? fit.map(qualifiedName) : [],
    barrier: Number(rows[0].next),
    left: unfit
  }
}

/**
 * Runs the statement that publishes the tables, if there is need; whether there was.
 * @throws PostgresPreflightError with the statement and all other problems, when it may not or must not be run.
 */
async function publish(
  parts: PublicationParts,
  plan: {
    readonly state: PublicationState | undefined
    readonly missing: readonly TableName[]
    readonly problems: readonly PreflightProblem[]
  }
): Promise<boolean> {
  const { publication, manage, source, existingSlot } = parts
  const { state, missing, problems } = plan
  const isNeeded = state === undefined || missing.length > 0
  const fix = statementFor(publication, state !== undefined, missing)
  if (problems.length === 0 && !isNeeded) return false
  if (problems.length === 0 && manage && (state || existingSlot === undefined)) {
    await run(parts, fix, missing)
    return true
  }
  if (state === undefined && existingSlot !== undefined && manage) {
    throw new PostgresPreflightError(source, [slotBeforePublication(publication, existingSlot, fix), ...problems])
  }
  const found = state ? `it lacks ${missing.map(qualifiedName).join(', ')}` : 'it does not exist'
  const lacking = isNeeded && !manage ? [{ setting: `publication ${publication}`, found, fix }] : []
  throw new PostgresPreflightError(source, [...lacking, ...problems])
}

/** The tables whose updates and deletes fail, or would, once they are published. */
export function identityProblems(tables: readonly TableName[]): PreflightProblem[] {
  return tables.map((table) => ({
    setting: `replica identity of ${qualifiedName(table)}`,
    found: 'it has none, so the application’s updates and deletes of it fail while it is published',
    fix:
      `ALTER TABLE ${quotedName(table)} ADD PRIMARY KEY (…), or ALTER TABLE ${quotedName(table)} REPLICA IDENTITY FULL (of each of its ` +
      `partitions, if it has some), or publish inserts only`
  }))
}

/** Changes of partitions go by the partitions' names unless the publication says otherwise. */
function rootProblems(
  { publication }: PublicationParts,
  state: PublicationState | undefined,
  wanted: readonly WantedTable[]
): PreflightProblem[] {
  const parted = wanted.filter((table) => table.isPartitioned).map(qualifiedName)
  if (!state || state.viaRoot || parted.length === 0) return []
  return [
    {
      setting: `publication ${publication}`,
      found: `it publishes the partitions of ${parted.join(', ')}, each by its own name`,
      fix: `ALTER PUBLICATION ${quoteIdentifier(publication)} SET (publish_via_partition_root = true)`
    }
  ]
}

function publishesChanges(state: PublicationState | undefined): boolean {
  return state === undefined || state.operations.includes('update') || state.operations.includes('delete')
}

async function wantedTables({ client, filter, extra }: PublicationParts): Promise<WantedTable[]> {
  const { rows } = await client.query({
    text: `select n.nspname as schema, c.relname as table, c.relkind = 'p' as partitioned, ${IDENTITY_SQL} as identity
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
      and n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2`
  })
  return rows
    .map((row) => ({
      schema: String(row.schema),
      table: String(row.table),
      isPartitioned: row.partitioned === true,
      hasIdentity: row.identity === true
    }))
    .filter((table) => filter.matches(qualifiedName(table)) || extra.includes(qualifiedName(table)))
}

/** The publication; undefined when there is none of that name. */
export async function publicationState(
  client: PostgresClient,
  publication: string
): Promise<PublicationState | undefined> {
  const { rows } = await client.query({
    text: `select oid::int8::text as id, pubviaroot as via_root, array_remove(array[case when pubinsert then 'insert' end,
        case when pubupdate then 'update' end, case when pubdelete then 'delete' end, case when pubtruncate then 'truncate' end], null) as operations
      from pg_publication where pubname = $1`,
    values: [publication]
  })
  const row = rows[0]
  if (row === undefined) return undefined
  const operations = Array.isArray(row.operations) ? row.operations.map(String) : []
  return { id: Number(row.id), viaRoot: row.via_root === true, operations }
}

function statementFor(publication: string, exists: boolean, tables: readonly TableName[]): string {
  const list = tables.map(quotedName).join(', ')
  const name = quoteIdentifier(publication)
  if (exists) return `ALTER PUBLICATION ${name} ADD TABLE ${list}`
  return `CREATE PUBLICATION ${name}${list ? ` FOR TABLE ${list}` : ''} WITH (publish_via_partition_root = true)`
}

async function run(parts: PublicationParts, statement: string, missing: readonly TableName[]): Promise<void> {
  try {
    await parts.client.query({ text: statement })
  } catch (error) {
    const state = error instanceof Error && 'code' in error ? error.code : undefined
    if (state !== '42501') throw toSourceError(error, `cannot run ${statement}`)
    throw new PostgresPreflightError(parts.source, [
      {
        setting: `publication ${parts.publication}`,
        found: `the user of the connection may not publish ${missing.map(qualifiedName).join(', ')}`,
        fix: `as owner of the tables and with CREATE on the database: ${statement}`
      }
    ])
  }
}

/** A publication is looked up as it was at each change: one made after the slot does not exist for what is in the slot. */
function slotBeforePublication(publication: string, slot: string, statement: string): PreflightProblem {
  return {
    setting: `publication ${publication}`,
    found: `it does not exist, but the replication slot ${slot} does, and the slot’s changes are from before a publication made now`,
    fix:
      `SELECT pg_drop_replication_slot(${quoteLiteral(slot)}), and start with onLostSlot: 'resnapshot', which makes both anew; or name the ` +
      `right publication (${statement} makes one for a new slot)`
  }
}
