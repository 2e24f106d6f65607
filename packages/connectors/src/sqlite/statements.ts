import { quoteName, quoteNames, quoteTable } from '../sql/identifier.ts'
import type { WriteMode } from '../sql/sql-sink-options.ts'
import type { WriteRows } from '../sql/write-plan.ts'

/** A statement, how many rows it is for, and the columns of each to bind, in order. */
export interface RowStatement {
  readonly sql: string
  readonly columns: readonly string[]
  readonly together: number
}

/** From so many on, what a statement costs by itself is next to nothing. */
const ROWS_TOGETHER = 32
/** SQLite's least limit of a statement's parameters (SQLITE_MAX_VARIABLE_NUMBER). */
const MOST_PARAMETERS = 999

/** How many rows one statement should write. */
export function rowsTogether({ columns }: WriteRows, mode: WriteMode): number {
  if (mode === 'update') return 1
  return Math.max(1, Math.min(ROWS_TOGETHER, Math.floor(MOST_PARAMETERS / columns.length)))
}

/** Inserts, updates or upserts rows, as many together as `rowsTogether` says at most. */
export function writeStatement({ table, columns, keyColumns }: WriteRows, mode: WriteMode, together = 1): RowStatement {
  const others = columns.filter((name) => !keyColumns.includes(name))
  if (mode === 'update') {
    const changed = others.length > 0 ? others : keyColumns
    const sql = `UPDATE ${quoteTable(table)} SET ${assign(changed)} WHERE ${equal(keyColumns)}`
    return { sql, columns: [...changed, ...keyColumns], together }
  }
  const row = `(${columns.map(() => '?').join(', ')})`
  const rows = Array.from({ length: together }, () => row).join(', ')
  const insert = `INSERT INTO ${quoteTable(table)} (${quoteNames(columns)}) VALUES ${rows}`
  if (mode === 'insert' || keyColumns.length === 0) return { sql: insert, columns, together }
  const action =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')}`
  return { sql: `${insert} ON CONFLICT (${quoteNames(keyColumns)}) DO ${action}`, columns, together }
}

/** Deletes the rows of a key. */
export function deleteStatement(table: string, columns: readonly string[]): RowStatement {
  return { sql: `DELETE FROM ${quoteTable(table)} WHERE ${equal(columns)}`, columns, together: 1 }
}

/** Deletes one of the rows that are equal to the given one. */
export function deleteRowStatement(table: string, columns: readonly string[]): RowStatement {
  const one = `SELECT rowid FROM ${quoteTable(table)} WHERE ${equal(columns)} LIMIT 1`
  return { sql: `DELETE FROM ${quoteTable(table)} WHERE rowid IN (${one})`, columns, together: 1 }
}

function assign(columns: readonly string[]): string {
  return columns.map((name) => `${quoteName(name)} = ?`).join(', ')
}

function equal(columns: readonly string[]): string {
  return columns.map((name) => `${quoteName(name)} IS ?`).join(' AND ')
}
