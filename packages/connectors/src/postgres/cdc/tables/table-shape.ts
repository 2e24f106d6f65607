import type { PostgresClient } from '../../driver.ts'
import { quoteIdentifier } from '../connection.ts'
import type { RelationMessage } from '../pgoutput/message.ts'

/** A table's columns at one time, as they are written. */
export interface TableShape {
  readonly schema: string
  readonly table: string
  readonly columns: readonly ShapeColumn[]
  /** Indexes of the key's columns, ascending; empty without a key. */
  readonly key: readonly number[]
}

/** A column with its type. */
export interface ShapeColumn {
  readonly name: string
  readonly type: number
  readonly modifier: number
}

/** What the catalog says of a published table now. */
export interface CatalogTable extends TableShape {
  readonly oid: number
  /** Its updates and deletes can be published. */
  readonly hasIdentity: boolean
  /** A partitioned table: its rows are in its partitions. */
  readonly isPartitioned: boolean
  /** Indexes of the key's columns in the order of its index. */
  readonly keyOrder: readonly number[]
  /** Types of those, with schema, for literals. */
  readonly keyTypes: readonly string[]
  /** Schemas of types from which operators may come. */
  readonly typeSchemas: readonly string[]
  /** Only rows that this holds for are published. */
  readonly rowFilter: string | null
  /** Columns and key as the catalog has them: another text means that the table was changed. */
  readonly fingerprint: string
  /** Object ids of the table and of its entry in the publication: others mean that there was a time when its changes were not published. */
  readonly membership: string
  /** `toast_tuple_target`, if it was set. */
  readonly outOfLineBytes: number | undefined
}

/** `schema.table`. */
export function qualifiedName(table: { readonly schema: string; readonly table: string }): string {
  return `${table.schema}.${table.table}`
}

/** `"schema"."table"`. */
export function quotedName(table: { readonly schema: string; readonly table: string }): string {
  return `${quoteIdentifier(table.schema)}.${quoteIdentifier(table.table)}`
}

/**
 * The shape that a relation message announces. The key is the replica identity, which is the primary key as it was then; where all columns
 * or none are the identity, it is the primary key of now.
 */
export function shapeOf(relation: RelationMessage, primaryKey: readonly string[]): TableShape {
  const isKey =
    relation.replicaIdentity === 'f' || relation.replicaIdentity === 'n'
      ? (column: RelationMessage['columns'][number]) => primaryKey.includes(column.name)
      : (column: RelationMessage['columns'][number]) => column.inIdentity
  return {
    schema: relation.schema,
    table: relation.table,
    columns: relation.columns,
    key: relation.columns.flatMap((column, index) => (isKey(column) ? [index] : []))
  }
}

/** Whether two shapes write the same JSON. */
export function isSameShape(one: TableShape, other: TableShape): boolean {
  return (
    qualifiedName(one) === qualifiedName(other) &&
    one.columns.length === other.columns.length &&
    one.key.join() === other.key.join() &&
    one.columns.every((column, index) => {
      const twin = other.columns[index]
      return column.name === twin.name && column.type === twin.type && column.modifier === twin.modifier
    })
  )
}

/** Columns of a table that are published, in their order, as JSON: `shape` of a row of {@link readTables} without a publication. */
export const COLUMNS_SQL = `(
  select json_agg(json_build_object('name', a.attname, 'type', a.atttypid::int8, 'modifier', a.atttypmod, 'number', a.attnum,
    'generated', a.attgenerated <> '') order by a.attnum)
  from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)`

/** Columns of the key in the order of its index: of the primary key, or of the index that is the replica identity. */
export const KEY_SQL = `(
  select json_agg(json_build_object('number', k.number, 'type', format_type(a.atttypid, a.atttypmod), 'schema', tn.nspname) order by k.place)
  from pg_index i cross join lateral unnest(i.indkey[0:i.indnkeyatts-1]::int[]) with ordinality as k(number, place)
  join pg_attribute a on a.attrelid = c.oid and a.attnum = k.number
  join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace
  where i.indrelid = c.oid and case c.relreplident when 'i' then i.indisreplident else i.indisprimary end)`

/** The size from which a row's values are stored out of line, if the table says so. */
export const OUT_OF_LINE_SQL = `(
  select option_value::int from pg_options_to_table(c.reloptions) where option_name = 'toast_tuple_target')`

/** Whether the table, or each partition of it, has what tells its old rows: without, updates and deletes of it fail while it is published. */
export const IDENTITY_SQL = `(
  select coalesce(bool_and(case l.relreplident when 'f' then true when 'n' then false else exists (
    select from pg_index i where i.indrelid = l.oid and i.indisvalid and i.indimmediate
      and case l.relreplident when 'i' then i.indisreplident else i.indisprimary end) end), true)
  from (select c.oid where c.relkind <> 'p'
    union all select p.relid from pg_partition_tree(case c.relkind when 'p' then c.oid end) p where p.isleaf) leaf
  join pg_class l on l.oid = leaf.oid)`

interface CatalogColumn extends ShapeColumn {
  readonly number: number
  readonly generated: boolean
}

/** The tables of a publication, as they are now. */
export async function readTables(
  client: PostgresClient,
  publication: string,
  serverVersion: number
): Promise<CatalogTable[]> {
  const filters = serverVersion >= 150_000
  const { rows } = await client.query({
    text: `select c.oid::int8::text as oid, n.nspname as schema, c.relname as table, c.relkind = 'p' as partitioned, ${IDENTITY_SQL} as identity,
      ${filters ? 'to_json(p.attnames)::text' : 'null'} as published, ${filters ? 'p.rowfilter' : 'null'} as row_filter,
      ${COLUMNS_SQL}::text as columns, ${KEY_SQL}::text as key, ${OUT_OF_LINE_SQL} as target, concat(c.oid, ':', (
        select r.oid from pg_publication_rel r join pg_publication b on b.oid = r.prpubid where b.pubname = p.pubname and r.prrelid = c.oid)) as membership
      from pg_publication_tables p join pg_namespace n on n.nspname = p.schemaname
      join pg_class c on c.relnamespace = n.oid and c.relname = p.tablename
      where p.pubname = $1 order by 2, 3`,
    values: [publication]
  })
  return rows.map(tableOf)
}

function tableOf(row: Readonly<Record<string, unknown>>): CatalogTable {
  const published: string[] | null = typeof row.published === 'string' ? JSON.parse(row.published) : null
  const all: CatalogColumn[] = JSON.parse(String(row.columns ?? '[]')) ?? []
  const columns = all.filter((column) => published?.includes(column.name) ?? !column.generated)
  const keyColumns: { number: number; type: string; schema: string }[] =
    typeof row.key === 'string' ? JSON.parse(row.key) : []
  const isPublished = keyColumns.every((key) => columns.some((column) => column.number === key.number))
  const ordered = isPublished ? keyColumns : []
  const keyOrder = ordered.map((key) => columns.findIndex((column) => column.number === key.number))
  return {
    oid: Number(row.oid),
    schema: String(row.schema),
    table: String(row.table),
    columns: columns.map(({ name, type, modifier }) => ({ name, type, modifier })),
    key: keyOrder.toSorted((one, other) => one - other),
    keyOrder,
    keyTypes: ordered.map((key) => key.type),
    typeSchemas: [...new Set(ordered.map((key) => key.schema))].filter((schema) => schema !== 'pg_catalog'),
    hasIdentity: row.identity === true,
    isPartitioned: row.partitioned === true,
    rowFilter: typeof row.row_filter === 'string' ? row.row_filter : null,
    membership: String(row.membership),
    outOfLineBytes: typeof row.target === 'number' ? row.target : undefined,
    fingerprint: `${row.columns}${row.key}`
  }
}
