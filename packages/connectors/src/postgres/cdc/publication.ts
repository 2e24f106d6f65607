import type { PostgresClient } from '../driver.ts'
import { quoteIdentifier, quoteLiteral } from './connection.ts'
import { PostgresPreflightError, toSourceError } from './errors.ts'
import type { TableFilter } from './tables/table-filter.ts'
import { type CatalogTable, qualifiedName, quotedName, readTables } from './tables/table-shape.ts'

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
  /** Whether the slot is there already: then it is too late to make a publication. */
  readonly hasSlot: boolean
}

/** A publication that covers the tables asked for. */
export interface CoveredTables {
  /** Object id of the publication. */
  readonly id: number
  readonly tables: readonly CatalogTable[]
  /** Names of tables that were added to it just now, and the first transaction that began after that. */
  readonly added: readonly string[]
  readonly barrier: number
}

interface TableName {
  readonly schema: string
  readonly table: string
}

/** Makes the publication or adds what is missing. @throws PostgresPreflightError naming the statement when that is not allowed. */
export async function ensurePublication(parts: PublicationParts): Promise<CoveredTables> {
  const { client, publication, manage, source } = parts
  const wanted = await wantedTables(parts)
  const exists = (await publicationId(client, publication)) !== undefined
  const covered = new Set((await readTables(client, publication, parts.serverVersion)).map(qualifiedName))
  const missing = wanted.filter((table) => !covered.has(qualifiedName(table)))
  if (missing.length > 0 || !exists) {
    const statement = statementFor(publication, exists, missing)
    if (!manage) {
      const found = exists ? `it lacks ${missing.map(qualifiedName).join(', ')}` : 'it does not exist'
      throw new PostgresPreflightError(source, [{ setting: `publication ${publication}`, found, fix: statement }])
    }
    if (!exists && parts.hasSlot) throw slotBeforePublication(parts, statement)
    await run(parts, statement, missing)
  }
  const { rows } = await client.query({ text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as next' })
  return {
    id: (await publicationId(client, publication)) ?? 0,
    tables: await readTables(client, publication, parts.serverVersion),
    added: exists ? missing.map(qualifiedName) : [],
    barrier: Number(rows[0].next)
  }
}

async function wantedTables({ client, filter, extra }: PublicationParts): Promise<TableName[]> {
  const { rows } = await client.query({
    text: `select n.nspname as schema, c.relname as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence = 'p'
      and n.nspname not in ('pg_catalog', 'information_schema') order by 1, 2`
  })
  return rows
    .map((row) => ({ schema: String(row.schema), table: String(row.table) }))
    .filter((table) => filter.matches(qualifiedName(table)) || extra.includes(qualifiedName(table)))
}

/** Object id of the publication; undefined when there is none of that name. */
export async function publicationId(client: PostgresClient, publication: string): Promise<number | undefined> {
  const { rows } = await client.query({
    text: 'select oid::int8::text as oid from pg_publication where pubname = $1',
    values: [publication]
  })
  return rows.length === 0 ? undefined : Number(rows[0].oid)
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
function slotBeforePublication(parts: PublicationParts, statement: string): PostgresPreflightError {
  return new PostgresPreflightError(parts.source, [
    {
      setting: `publication ${parts.publication}`,
      found:
        'it does not exist, but the replication slot does, and the slot’s changes are from before a publication made now',
      fix: `drop the slot (SELECT pg_drop_replication_slot(${quoteLiteral('…')})) and start with onLostSlot: 'resnapshot', which makes both anew; or name the right publication (${statement} makes one for a new slot)`
    }
  ])
}
