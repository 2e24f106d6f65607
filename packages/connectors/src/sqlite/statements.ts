import { quoteName, quoteNames, quoteTable } from '../sql/identifier.ts'
import type { WriteMode } from '../sql/sql-sink-options.ts'
import type { WriteRows } from '../sql/write-plan.ts'

/** A statement for one row, and the columns to bind, in order. */
export interface RowStatement {
  readonly sql: string
  readonly columns: readonly string[]
}

/** Inserts, updates or upserts one row. */
export function writeStatement({ table, columns, keyColumns }: WriteRows, mode: WriteMode): RowStatement {
  const others = columns.filter((name) => !keyColumns.includes(name))
  if (mode === 'update') {
    const changed = others.length > 0 ? others : keyColumns
    const sql = `UPDATE ${quoteTable(table)} SET ${assign(changed)} WHERE ${equal(keyColumns)}`
    return { sql, columns: [...changed, ...keyColumns] }
  }
  const insert = `INSERT INTO ${quoteTable(table)} (${quoteNames(columns)}) VALUES (${columns.map(() => '?').join(', ')})`
  if (mode === 'insert' || keyColumns.length === 0) return { sql: insert, columns }
  const action =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')}`
  return { sql: `${insert} ON CONFLICT (${quoteNames(keyColumns)}) DO ${action}`, columns }
}

/** Deletes the rows of a key. */
export function deleteStatement(table: string, columns: readonly string[]): RowStatement {
  return { sql: `DELETE FROM ${quoteTable(table)} WHERE ${equal(columns)}`, columns }
}

/** Deletes one of the rows that are equal to the given one. */
export function deleteRowStatement(table: string, columns: readonly string[]): RowStatement {
  const one = `SELECT rowid FROM ${quoteTable(table)} WHERE ${equal(columns)} LIMIT 1`
  return { sql: `DELETE FROM ${quoteTable(table)} WHERE rowid IN (${one})`, columns }
}

function assign(columns: readonly string[]): string {
  return columns.map((name) => `${quoteName(name)} = ?`).join(', ')
}

function equal(columns: readonly string[]): string {
  return columns.map((name) => `${quoteName(name)} IS ?`).join(' AND ')
}
