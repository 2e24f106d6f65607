import { type Serde, SerdeError, serde } from '@millrace/streams'
import { isRow } from '../rows/json-object.ts'
import { parseLosslessly, stringifyLosslessly } from '../rows/lossless-json.ts'
import type { ColumnValue, Row } from '../rows/row-change.ts'

/** One change of a row, in Debezium's envelope. */
export interface ChangeEvent<R> {
  /** Create, update, delete, read of a snapshot, truncate, message. */
  readonly op: 'c' | 'u' | 'd' | 'r' | 't' | 'm'
  /** Of updates and deletes, as far as the source gives it. */
  readonly before: R | null
  /** Of creates, updates and reads. */
  readonly after: R | null
  /** Where the change comes from: database, table, LSN, transaction. */
  readonly source: Row
  /** When the connector read it, milliseconds since the epoch. */
  readonly ts_ms: number
}

const OPERATIONS: ReadonlySet<unknown> = new Set(['c', 'u', 'd', 'r', 't', 'm'])

/**
 * Change events as JSON, with or without a schema beside the payload. Integers that a number cannot hold come as bigint.
 * @typeParam R the row's columns, as the source writes them.
 */
export function changeEvents<R>(): Serde<ChangeEvent<R>> {
  return serde<ChangeEvent<R>>({
    name: 'change event',
    encode: (event) => Buffer.from(stringifyLosslessly(event)),
    decode: (bytes) => {
      const event = parseMessage(bytes, 'change event')
      if (!OPERATIONS.has(event.op)) {
        throw undecodable(
          'change event',
          `op is ${stringifyLosslessly(event.op ?? null)}, no operation of a change event`
        )
      }
      // What the database promises of its rows is the program's to say.
      return event as unknown as ChangeEvent<R>
    }
  })
}

/** Rows as JSON objects, as change events hold them. */
export function changedRows<R>(): Serde<R> {
  return serde<R>({
    name: 'row',
    encode: (row) => Buffer.from(stringifyLosslessly(row)),
    decode: (bytes) => parseMessage(bytes, 'row') as unknown as R
  })
}

/**
 * Keys of change events: the JSON object of the key columns.
 * @typeParam K the object.
 */
export function rowKeys<K extends object>(): Serde<K> {
  return serde<K>({
    name: 'row key',
    encode: (key) => Buffer.from(stringifyLosslessly(key)),
    decode: (bytes) => parseMessage(bytes, 'row key') as unknown as K
  })
}

/**
 * Keys of change events of one column, as that column's value: the bytes are still the source's, so that tables keyed like this are partitioned
 * as all others of the source.
 * @param column the column's name.
 */
export function rowKey<K extends ColumnValue>(column: string): Serde<K> {
  return serde<K>({
    name: `row key ${column}`,
    encode: (key) => Buffer.from(stringifyLosslessly({ [column]: key })),
    decode: (bytes) => {
      const key = parseMessage(bytes, 'row key')
      if (Object.keys(key).length === 1 && column in key) return key[column] as K
      throw undecodable('row key', `the key's columns are ${Object.keys(key).join(', ')}, not ${column}`)
    }
  })
}

function parseMessage(bytes: Buffer, what: string): Row {
  const parsed = parseJson(bytes, what)
  if (!isRow(parsed)) throw undecodable(what, 'it is JSON, but no object')
  return isRow(parsed.payload) && 'schema' in parsed ? parsed.payload : parsed
}

function parseJson(bytes: Buffer, what: string): unknown {
  try {
    return parseLosslessly(bytes.toString('utf8'))
  } catch (error) {
    throw undecodable(what, error instanceof Error ? error.message : String(error), { cause: error })
  }
}

function undecodable(name: string, problem: string, options?: ErrorOptions): SerdeError {
  return new SerdeError({ serde: name, operation: 'decode', problem }, options)
}
