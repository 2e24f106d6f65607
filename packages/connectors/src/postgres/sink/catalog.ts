import { quoteTable } from '../../sql/identifier.ts'
import type { TargetColumn, TargetTable } from '../../sql/target-table.ts'
import { baseOf, type MadeTypes, readMadeTypes } from './made-types.ts'
import type { PostgresSession } from './session.ts'

/** A table of PostgreSQL. */
export interface PostgresTable extends TargetTable {
  readonly columns: ReadonlyMap<string, PostgresColumn>
  readonly madeTypes: MadeTypes
}

/** A column of PostgreSQL. */
export interface PostgresColumn extends TargetColumn {
  /** Type of an array of its values, without their length or precision; undefined of arrays, composites and domains, which no array holds as they are. */
  readonly listType: string | undefined
}

const COLUMNS = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attgenerated = '' AS writable,
    CASE WHEN t.typtype IN ('b', 'e', 'r') AND t.typcategory <> 'A' AND t.typarray <> 0 AND t.typdelim = ','
      THEN format_type(a.atttypid, -1) || '[]' END AS list_type
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
const UNIQUE_KEYS = `
  SELECT array_agg(a.attname::text) AS columns
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
  GROUP BY i.indexrelid`

/** The table as PostgreSQL's catalog has it; undefined when there is none that the user can see. */
export async function readTable(session: PostgresSession, table: string): Promise<PostgresTable | undefined> {
  const name = quoteTable(table)
  const { rows } = await session.query(COLUMNS, [name])
  if (rows.length === 0) return undefined
  const madeTypes = await readMadeTypes(session, name)
  const columns = rows.map(
    (row): PostgresColumn => ({
      name: String(row.name),
      // What is written as a domain's base type becomes the domain's when it is inserted: JSON has ways of its own.
      type: baseOf(String(row.type), madeTypes),
      writable: row.writable === true,
      listType: typeof row.list_type === 'string' ? row.list_type : undefined
    })
  )
  const keys = await session.query(UNIQUE_KEYS, [name])
  return {
    table,
    columns: new Map(columns.map((column) => [column.name, column])),
    madeTypes,
    uniqueKeys: keys.rows.map((row) => (Array.isArray(row.columns) ? row.columns.map(String) : []))
  }
}
