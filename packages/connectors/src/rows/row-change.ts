import type { SinkRecord } from '../sink.ts'

/** What a column may hold before the target's catalog says of which type it is. Structured values go into JSON columns and arrays. */
export type ColumnValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Uint8Array
  | Date
  | readonly ColumnValue[]
  | { readonly [name: string]: ColumnValue }

/** Values by column name. A column that is absent is left as it is in the target. */
export type Row = Readonly<Record<string, ColumnValue>>

/** A change of a table that a record stands for. */
export type RowChange = RowUpsert | RowDelete | RowTruncate

/** The row is to be as given, whatever was there before. */
export interface RowUpsert {
  readonly kind: 'upsert'
  /** The key's columns; empty for a table without a key. */
  readonly key: Row
  /** All columns given, those of the key among them. */
  readonly row: Row
}

/** The row is to be gone. */
export interface RowDelete {
  readonly kind: 'delete'
  readonly key: Row
  /** Of a table without a key: `key` is the whole old row, and one row that is equal to it is to go. */
  readonly wholeRow?: true
}

/** All rows are to be gone. */
export interface RowTruncate {
  readonly kind: 'truncate'
}

/** Turns records into changes of rows. */
export interface RowDecoder {
  /**
   * The change, or undefined when the record says nothing new.
   * @throws PoisonousRecordError when the record is none of this form.
   */
  decode(record: SinkRecord): RowChange | undefined
  /** How values that JSON cannot hold are written in strings. */
  readonly text: TextForms
}

/** How strings stand for other types. */
export interface TextForms {
  /** A string for a binary column: its bytes in this form. */
  readonly binary: 'base64' | 'utf8'
  /** A string for a JSON column is the JSON text itself (`document`), or a JSON string (`string`). */
  readonly json: 'document' | 'string'
}
