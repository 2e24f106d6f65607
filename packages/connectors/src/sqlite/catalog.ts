import type { DatabaseSync } from 'node:sqlite'
import { quoteName, quoteTable } from '../sql/identifier.ts'
import type { TargetColumn, TargetTable } from '../sql/target-table.ts'

/** How a column keeps what it is given (SQLite's datatype rules, section 3.1). */
export type Affinity = 'text' | 'blob' | 'number'

/** The table as SQLite's catalog has it; undefined when there is none. */
export function readTable(database: DatabaseSync, table: string): TargetTable | undefined {
  const rows = database.prepare(`PRAGMA ${schemaOf(table)}table_xinfo(${quoteName(lastPart(table))})`).all()
  if (rows.length === 0) return undefined
  const columns = new Map<string, TargetColumn>()
  const primaryKey: string[] = []
  for (const { name, type, pk, hidden } of rows) {
    columns.set(String(name), { name: String(name), type: String(type), writable: hidden === 0 })
    if (pk !== 0) primaryKey.push(String(name))
  }
  const keys = primaryKey.length > 0 ? [primaryKey] : []
  return { table, columns, uniqueKeys: [...keys, ...uniqueIndexes(database, table)] }
}

/** Affinity of a declared type. */
export function affinityOf(type: string): Affinity {
  if (/CHAR|CLOB|TEXT/i.test(type) && !/INT/i.test(type)) return 'text'
  return type === '' || /BLOB/i.test(type) ? 'blob' : 'number'
}

function uniqueIndexes(database: DatabaseSync, table: string): string[][] {
  const indexes = database.prepare(`PRAGMA ${schemaOf(table)}index_list(${quoteName(lastPart(table))})`).all()
  return indexes
    .filter(({ unique, partial }) => unique === 1 && partial === 0)
    .map(({ name }) => {
      const columns = database.prepare(`PRAGMA ${schemaOf(table)}index_info(${quoteName(String(name))})`).all()
      return columns.map((column) => String(column.name))
    })
}

function schemaOf(table: string): string {
  const parts = table.split('.')
  return parts.length > 1 ? `${quoteTable(parts.slice(0, -1).join('.'))}.` : ''
}

function lastPart(table: string): string {
  return table.slice(table.lastIndexOf('.') + 1)
}
