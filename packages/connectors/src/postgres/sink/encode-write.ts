import type { SqlSinkOptions } from '../../sql/sql-sink-options.ts'
import type { WriteRows } from '../../sql/write-plan.ts'
import type { PostgresTable } from './catalog.ts'
import { encodeLists } from './lists.ts'
import { writeListsStatement, writeStatement } from './statements.ts'
import { encodeRows, encoderFor } from './values.ts'

/** A statement that writes rows, and its parameters. */
export interface EncodedWrite {
  readonly sql: string
  readonly values: string[]
}

/** The rows as an array for each column where the columns' types allow it, else as JSON. */
export function encodeWrite(
  write: WriteRows,
  target: PostgresTable | undefined,
  { mode = 'upsert', rows: { text } }: Pick<SqlSinkOptions, 'mode' | 'rows'>
): EncodedWrite {
  const { columns, rows } = write
  const encoders = columns.map((column) => encoderFor(typeIn(target, column), text, target?.madeTypes))
  const listTypes = columns.flatMap((column) => target?.columns.get(column)?.listType ?? [])
  const lists =
    mode !== 'update' && listTypes.length === columns.length ? encodeLists(rows, columns, encoders) : undefined
  if (lists !== undefined) return { sql: writeListsStatement(write, mode, listTypes), values: lists }
  const sql = writeStatement(write, mode, (column) => typeIn(target, column))
  return { sql, values: [encodeRows(rows, columns, encoders)] }
}

/** The type of a column, as `format_type` writes it; of one that is not known, text. */
export function typeIn(target: PostgresTable | undefined, column: string): string {
  return target?.columns.get(column)?.type ?? 'text'
}
