import type { RowDecoder } from '../rows/row-change.ts'
import type { SinkRecord } from '../sink.ts'

/** What sinks into tables have in common. */
export interface SqlSinkOptions {
  /** Stable name: the offsets are kept under it in the target. */
  readonly name: string
  /** How records become rows: `jsonRows()`, `debeziumRows()`, `serdeRows(…)`. */
  readonly rows: RowDecoder
  /** Table of a record, with its schema if needed (`sales.orders`). Default: the last part of the topic's name after a dot. */
  readonly table?: string | ((record: SinkRecord) => string)
  /**
   * `upsert` (default): the row is as the record says, whatever was there. `insert`: a row that is there already is an error. `update`: a row that
   * is not there stays away.
   */
  readonly mode?: WriteMode
  /** Whether tombstones and delete events remove rows; default true. */
  readonly deletes?: boolean
  /** Create tables that are not there, their columns' types taken from the first rows and `columnTypes`; default false. */
  readonly createTables?: boolean
  /** Add columns that are not there, never change or remove one; default false. */
  readonly evolveTables?: boolean
  /** Types of columns that the sink creates, by column name, in the target's SQL; default: what fits the first value. */
  readonly columnTypes?: Readonly<Record<string, string>>
  /** Table that keeps the offsets in the target; created when missing. Default `millrace_sink_offsets`. */
  readonly offsetsTable?: string
}

/** What a row does to the table. */
export type WriteMode = 'upsert' | 'insert' | 'update'

/** Where the offsets are kept, unless an option says otherwise. */
export const DEFAULT_OFFSETS_TABLE = 'millrace_sink_offsets'

/** The table that a record goes to. */
export function tableOf(record: SinkRecord, table: SqlSinkOptions['table']): string {
  if (typeof table === 'function') return table(record)
  if (table !== undefined) return table
  const topic = record.routedTo ?? record.topic
  return topic.slice(topic.lastIndexOf('.') + 1)
}
