import { quoteTable } from '../../sql/identifier.ts'
import type { TargetColumn, TargetTable } from '../../sql/target-table.ts'
import type { PostgresSession } from './session.ts'

const COLUMNS = `
  SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attgenerated = '' AS writable
  FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
const UNIQUE_KEYS = `
  SELECT array_agg(a.attname::text) AS columns
  FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
  WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
  GROUP BY i.indexrelid`

/** The table as PostgreSQL's catalog has it; undefined when there is none that the user can see. */
export async function readTable(session: PostgresSession, table: string): Promise<TargetTable | undefined> {
  const name = quoteTable(table)
  const { rows } = await session.query(COLUMNS, [name])
  if (rows.length === 0) return undefined
  const columns = rows.map(
    (row): TargetColumn => ({ name: String(row.name), type: String(row.type), writable: row.writable === true })
  )
  const keys = await session.query(UNIQUE_KEYS, [name])
  return {
    table,
    columns: new Map(columns.map((column) => [column.name, column])),
    uniqueKeys: keys.rows.map((row) => (Array.isArray(row.columns) ? row.columns.map(String) : []))
  }
}
