import { quoteName, quoteNames, quoteTable } from '../../sql/identifier.ts'
import type { WriteMode } from '../../sql/sql-sink-options.ts'
import type { WriteRows } from '../../sql/write-plan.ts'
import { isJsonType } from './values.ts'

/** Type of a column in the target, as `format_type` writes it. */
export type TypeOf = (column: string) => string

/** One statement that inserts, updates or upserts any number of rows, given as JSON text in `$1`: its text does not depend on how many. */
export function writeStatement(write: WriteRows, mode: WriteMode, typeOf: TypeOf): string {
  const { columns, keyColumns } = write
  if (mode === 'update') {
    const others = columns.filter((name) => !keyColumns.includes(name))
    return updateStatement(write, others.length > 0 ? others : keyColumns, typeOf)
  }
  const values = columns.map((name, at) => columnValue(at, typeOf(name))).join(', ')
  return insertStatement(write, mode, `${values} FROM ${recordset(columns, typeOf)}`)
}

/** One statement that inserts or upserts any number of rows, given as an array for each column: the server takes them with less work than JSON. */
export function writeListsStatement(write: WriteRows, mode: WriteMode, listTypes: readonly string[]): string {
  return insertStatement(write, mode, `* FROM unnest(${listTypes.map((type, at) => `$${at + 1}::${type}`).join(', ')})`)
}

function insertStatement({ table, columns, keyColumns }: WriteRows, mode: WriteMode, selected: string): string {
  const others = columns.filter((name) => !keyColumns.includes(name))
  const insert = `INSERT INTO ${quoteTable(table)} (${quoteNames(columns)}) OVERRIDING SYSTEM VALUE SELECT ${selected}`
  if (mode === 'insert' || keyColumns.length === 0) return insert
  const action =
    others.length === 0
      ? 'NOTHING'
      : `UPDATE SET ${others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')}`
  return `${insert} ON CONFLICT (${quoteNames(keyColumns)}) DO ${action}`
}

/** Deletes the rows of the keys in `$1`. */
export function deleteStatement(table: string, columns: readonly string[], typeOf: TypeOf): string {
  return `DELETE FROM ${quoteTable(table)} AS t USING ${recordset(columns, typeOf)} WHERE ${keysEqual(columns, columns, typeOf)}`
}

/** Deletes one of the rows that are equal to the one in `$1`. Compared as text, since JSON knows no equality. */
export function deleteRowStatement(table: string, columns: readonly string[], typeOf: TypeOf): string {
  const equal = columns
    .map((name, at) => `t.${quoteName(name)}::text IS NOT DISTINCT FROM (${columnValue(at, typeOf(name))})::text`)
    .join(' AND ')
  const one = `SELECT t.ctid FROM ${quoteTable(table)} AS t, ${recordset(columns, typeOf)} WHERE ${equal} LIMIT 1`
  return `DELETE FROM ${quoteTable(table)} WHERE ctid IN (${one})`
}

function updateStatement(
  { table, columns, keyColumns }: WriteRows,
  changed: readonly string[],
  typeOf: TypeOf
): string {
  const assignments = changed.map((name) => `${quoteName(name)} = ${columnValue(columns.indexOf(name), typeOf(name))}`)
  return `UPDATE ${quoteTable(table)} AS t SET ${assignments.join(', ')} FROM ${recordset(columns, typeOf)}
    WHERE ${keysEqual(keyColumns, columns, typeOf)}`
}

function keysEqual(keys: readonly string[], columns: readonly string[], typeOf: TypeOf): string {
  return keys.map((name) => `t.${quoteName(name)} = ${columnValue(columns.indexOf(name), typeOf(name))}`).join(' AND ')
}

function recordset(columns: readonly string[], typeOf: TypeOf): string {
  const fields = columns.map((name, at) => `c${at} ${isJsonType(typeOf(name)) ? 'text' : typeOf(name)}`)
  return `json_to_recordset($1::json) AS r(${fields.join(', ')})`
}

function columnValue(at: number, type: string): string {
  return isJsonType(type) ? `r.c${at}::${type}` : `r.c${at}`
}
