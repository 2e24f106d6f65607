import type { ColumnValue } from '../rows/row-change.ts'
import { TargetColumnMissingError, TargetKeyMissingError, TargetTableMissingError } from './errors.ts'
import { quoteName, quoteNames, quoteTable } from './identifier.ts'
import type { SqlSinkOptions } from './sql-sink-options.ts'
import { hasUniqueKey, type TargetTable } from './target-table.ts'
import type { WriteRows } from './write-plan.ts'

/** What a target's SQL calls the types. */
export interface ColumnTypes {
  /** Type of a new column that is to hold the value, and values like it. */
  typeFor(value: Exclude<ColumnValue, null>, isKey: boolean): string
}

/** Statements that must run first, and what to write then. */
export interface PreparedWrite {
  readonly statements: readonly string[]
  readonly write: WriteRows
}

type PrepareOptions = Pick<SqlSinkOptions, 'createTables' | 'evolveTables' | 'columnTypes' | 'mode'>

/**
 * Compares rows to be written with the table as it is. Columns that the table has not and that hold only nulls are left out, since nothing says
 * their type yet; generated columns are left out, since they take no values.
 * @throws TargetTableMissingError, TargetColumnMissingError or TargetKeyMissingError, each with the statement that mends it.
 */
export function prepareWrite(
  write: WriteRows,
  target: TargetTable | undefined,
  options: PrepareOptions,
  types: ColumnTypes
): PreparedWrite {
  const fresh = write.columns.filter((name) => !target?.columns.has(name))
  const typed = fresh.flatMap((name) => {
    const type = options.columnTypes?.[name] ?? typeOf(write, name, types)
    return type === undefined ? [] : [{ name, type }]
  })
  const left = fresh.filter((name) => !typed.some((column) => column.name === name))
  const kept = write.columns.filter((name) => !left.includes(name) && target?.columns.get(name)?.writable !== false)
  const statements = target === undefined ? [createTable(write, typed, options)] : addColumns(target, typed, options)
  if (target !== undefined) checkKey(write, target, options)
  return { statements, write: kept.length === write.columns.length ? write : { ...write, columns: kept } }
}

interface NewColumn {
  readonly name: string
  readonly type: string
}

function typeOf(write: WriteRows, column: string, types: ColumnTypes): string | undefined {
  for (const row of write.rows) {
    const value = row[column]
    if (value !== null && value !== undefined) return types.typeFor(value, write.keyColumns.includes(column))
  }
  return undefined
}

function createTable(write: WriteRows, columns: readonly NewColumn[], options: PrepareOptions): string {
  const definitions = columns.map(({ name, type }) => `${quoteName(name)} ${type}`)
  if (write.keyColumns.length > 0) definitions.push(`PRIMARY KEY (${quoteNames(write.keyColumns)})`)
  const statement = `CREATE TABLE IF NOT EXISTS ${quoteTable(write.table)} (${definitions.join(', ')})`
  if (!options.createTables) throw new TargetTableMissingError(write.table, statement)
  return statement
}

function addColumns(target: TargetTable, columns: readonly NewColumn[], options: PrepareOptions): string[] {
  const statements = columns.map(
    ({ name, type }) => `ALTER TABLE ${quoteTable(target.table)} ADD COLUMN ${quoteName(name)} ${type}`
  )
  if (statements.length > 0 && !options.evolveTables) {
    throw new TargetColumnMissingError(
      target.table,
      columns.map(({ name }) => name),
      statements.join('; ')
    )
  }
  return statements
}

function checkKey(write: WriteRows, target: TargetTable, options: PrepareOptions): void {
  const upserts = (options.mode ?? 'upsert') === 'upsert' && write.keyColumns.length > 0
  if (!upserts || hasUniqueKey(target, write.keyColumns)) return
  const statement = `ALTER TABLE ${quoteTable(target.table)} ADD PRIMARY KEY (${quoteNames(write.keyColumns)})`
  throw new TargetKeyMissingError(target.table, write.keyColumns, statement)
}
