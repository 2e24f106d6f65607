import type { Header } from '@millrace/log'
import type { SourceRecord } from '../../source.ts'
import type { ChangeOrigin } from './envelope.ts'
import type { Tuple } from './pgoutput/message.ts'
import { valueAt } from './tables/out-of-line-memory.ts'
import type { TableEncoder } from './tables/table-encoder.ts'
import { topicName } from './topic-name.ts'

const BYTEA_OID = 17

/**
 * A table into which an application writes its events, in the transaction of what they tell of. Each insert becomes a record of the event's own;
 * updates and deletes of the table (rows may go as soon as they are there) are of no interest. Names are Debezium's outbox event router's.
 */
export interface OutboxOptions {
  /** `schema.table`. */
  readonly table: string
  /** Columns; by default `id`, `aggregatetype`, `aggregateid`, `payload`, and no headers. */
  readonly columns?: {
    readonly id?: string
    /** What the topic is chosen by. */
    readonly route?: string
    readonly key?: string
    readonly payload?: string
    /** Each becomes a header of its name. */
    readonly headers?: readonly string[]
  }
  /** Topic of an event; `outbox.event.<aggregatetype>` by default, with underscores for what topics' names cannot have. */
  readonly topic?: (route: string) => string
  /** An event without payload becomes a tombstone (default), or a record with an empty value. */
  readonly tombstoneOnEmptyPayload?: boolean
}

/** Names of the columns that a row of the outbox is read by. */
export function outboxColumns({ columns = {} }: OutboxOptions): string[] {
  const { id = 'id', route = 'aggregatetype', key = 'aggregateid', payload = 'payload', headers = [] } = columns
  return [id, route, key, payload, ...headers]
}

/** A row that was inserted, with what its table's columns are. */
export interface InsertedRow {
  readonly table: TableEncoder
  readonly row: Tuple
}

/** Makes the record of one row of the outbox. The header `id` is the event's id, by which consumers can tell repeats. */
export function outboxRecord(options: OutboxOptions, inserted: InsertedRow, origin: ChangeOrigin): SourceRecord {
  const read = (name: string) => columnBytes(inserted, name)
  const [id, routedBy, key, body, ...more] = outboxColumns(options)
  const route = read(routedBy)?.toString() ?? ''
  const payload = read(body)
  const empty = options.tombstoneOnEmptyPayload === false ? Buffer.alloc(0) : null
  const headers: Header[] = [{ key: 'id', value: read(id) ?? null }]
  for (const name of more) headers.push({ key: name, value: read(name) ?? null })
  return {
    topic: options.topic?.(route) ?? topicName(`outbox.event.${route}`),
    key: read(key) ?? null,
    value: payload ?? empty,
    timestamp: Math.floor(origin.commitMicros / 1000),
    headers
  }
}

/** The value's own bytes: of `bytea` the bytes, of anything else its text. */
function columnBytes({ table, row }: InsertedRow, name: string): Buffer | undefined {
  const index = table.shape.columns.findIndex((column) => column.name === name)
  const value = index === -1 ? undefined : valueAt(row, index)
  if (value === undefined) return undefined
  if (table.shape.columns[index].type === BYTEA_OID) return Buffer.from(value.toString('latin1', 2), 'hex')
  return Buffer.from(value)
}
