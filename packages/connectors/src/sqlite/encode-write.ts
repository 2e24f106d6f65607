import type { Row } from '../rows/row-change.ts'
import type { SqlSinkOptions } from '../sql/sql-sink-options.ts'
import type { TargetTable } from '../sql/target-table.ts'
import type { WriteRows } from '../sql/write-plan.ts'
import { affinityOf } from './catalog.ts'
import type { WriteJob } from './jobs.ts'
import { type RowStatement, rowsTogether, writeStatement } from './statements.ts'
import { encodeValue, type SqliteValue } from './values.ts'

/** The rows of a plan as jobs: many with each run of a statement, and the rest one by one. */
export function encodeWrite(
  write: WriteRows,
  target: TargetTable | undefined,
  { mode = 'upsert', rows: decoder }: Pick<SqlSinkOptions, 'mode' | 'rows'>
): readonly WriteJob[] {
  const { rows } = write
  const together = rowsTogether(write, mode)
  const many = rows.length - (rows.length % together)
  const parts = [
    { rows: rows.slice(0, many), statement: writeStatement(write, mode, together) },
    { rows: rows.slice(many), statement: writeStatement(write, mode) }
  ]
  return parts
    .filter((part) => part.rows.length > 0)
    .map((part) => encodeRows(part.statement, part.rows, { target, forms: decoder.text }))
}

/** Rows to be bound to a statement. */
export function encodeRows(
  { sql, columns, together }: RowStatement,
  rows: readonly Row[],
  { target, forms }: { readonly target: TargetTable | undefined; readonly forms: SqlSinkOptions['rows']['text'] }
): WriteJob {
  const affinities = columns.map((name) => affinityOf(target?.columns.get(name)?.type ?? ''))
  const values: SqliteValue[] = []
  for (const row of rows) {
    for (let column = 0; column < columns.length; column++) {
      values.push(encodeValue(row[columns[column]], affinities[column], forms))
    }
  }
  return { kind: 'write', sql, values, perRun: columns.length * together }
}
