import type { Header } from '@millrace/log'
import type { SourceRecord } from '../../source.ts'
import { ByteWriter } from './byte-writer.ts'
import type { ChangeOrigin } from './envelope.ts'
import type { Tuple } from './pgoutput/message.ts'
import { valueAt } from './tables/out-of-line-memory.ts'
import type { TableEncoder } from './tables/table-encoder.ts'
import { topicName } from './topic-name.ts'

const BYTEA_OID = 17
const JSON_OIDS: ReadonlySet<number> = new Set([114, 3802])

/**
 * A table into which an application writes its events, in the transaction of what they tell of. Each insert becomes a record of the event's own;
 * deletes (rows may go as soon as they are there) are of no interest. Names and meaning are those of Debezium's outbox event router.
 */
export interface OutboxOptions {
  /** `schema.table`. */
  readonly table: string
  /** Columns; by default `id`, `aggregatetype`, `aggregateid`, `payload`, and none of the others. */
  readonly columns?: OutboxColumns
  /** Topic of an event; `outbox.event.<aggregatetype>` by default, with underscores for what topics' names cannot have. */
  readonly topic?: (route: string) => string
  /** An event whose payload is null or empty becomes a tombstone (default), or a record with an empty value. */
  readonly tombstoneOnEmptyPayload?: boolean
  /** In an envelope, payloads of text that are JSON stand as JSON, as those of `json` and `jsonb` always do, instead of as strings. Default false. */
  readonly expandJsonPayload?: boolean
  /** An update of a row, whose event was sent already: nothing, a warning (default: one for each start), or the end of the source (OutboxUpdatedError). */
  readonly onUpdate?: 'ignore' | 'warn' | 'fail'
}

/** Which columns of an outbox are what. */
export interface OutboxColumns {
  readonly id?: string
  /** What the topic is chosen by. */
  readonly route?: string
  readonly key?: string
  readonly payload?: string
  /** The record's time: milliseconds, or a timestamp. By default, and where it is null, the transaction's. */
  readonly timestamp?: string
  /** Number of the partition. By default, and where it is null, the key decides. */
  readonly partition?: string
  /** Each becomes a header. */
  readonly headers?: readonly OutboxField[]
  /** With any, the value is an object of them and of `payload`, instead of the payload alone. */
  readonly envelope?: readonly OutboxField[]
}

/** A column, under its own name or another. */
export type OutboxField = string | { readonly column: string; readonly as: string }

/** Names of the columns that a row of the outbox is read by. */
export function outboxColumns({ columns = {} }: OutboxOptions): string[] {
  const { id, route, key, payload, timestamp = [], partition = [], headers, envelope } = withDefaults(columns)
  return [id, route, key, payload, timestamp, partition, ...headers.map(columnOf), ...envelope.map(columnOf)].flat()
}

/** A row that was inserted, with what its table's columns are. */
export interface InsertedRow {
  readonly table: TableEncoder
  readonly row: Tuple
}

/** Makes the record of one row of the outbox. The header `id` is the event's id, by which consumers can tell repeats. */
export function outboxRecord(options: OutboxOptions, inserted: InsertedRow, origin: ChangeOrigin): SourceRecord {
  const read = (name: string | undefined) => (name === undefined ? undefined : columnBytes(inserted, name))
  const columns = withDefaults(options.columns)
  const route = read(columns.route)?.toString() ?? ''
  const headers: Header[] = [{ key: 'id', value: read(columns.id) ?? null }]
  for (const field of columns.headers) headers.push({ key: nameOf(field), value: read(columnOf(field)) ?? null })
  const partition = read(columns.partition)
  return {
    topic: options.topic?.(route) ?? topicName(`outbox.event.${route}`),
    ...(partition !== undefined && { partition: Number(partition) }),
    key: read(columns.key) ?? null,
    value: payloadOf(options, inserted),
    timestamp: eventTimeMs(read(columns.timestamp)?.toString()) ?? Math.floor(origin.commitMicros / 1000),
    headers
  }
}

function payloadOf(options: OutboxOptions, inserted: InsertedRow): Buffer | null {
  const { payload: column, envelope } = withDefaults(options.columns)
  const payload = columnBytes(inserted, column)
  const isEmpty = payload === undefined || payload.length === 0
  if (isEmpty && options.tombstoneOnEmptyPayload !== false) return null
  if (envelope.length === 0) return payload ?? Buffer.alloc(0)
  const out = new ByteWriter()
  out.ascii('{"payload":')
  if (payload !== undefined && isJson(payload, typeOf(inserted, column), options)) out.copy(payload)
  else inserted.table.writeColumn(out, inserted.row, column)
  for (const field of envelope) {
    out.copy(Buffer.from(`,${JSON.stringify(nameOf(field))}:`))
    inserted.table.writeColumn(out, inserted.row, columnOf(field))
  }
  out.ascii('}')
  return out.take()
}

function isJson(payload: Buffer, type: number | undefined, { expandJsonPayload = false }: OutboxOptions): boolean {
  if (type !== undefined && JSON_OIDS.has(type)) return true
  if (!expandJsonPayload || type === BYTEA_OID) return false
  try {
    JSON.parse(payload.toString())
    return true
  } catch {
    return false
  }
}

/** Milliseconds of a number, or of a timestamp in the session's ISO form and UTC; undefined for what no record's time can be. */
function eventTimeMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const isNumber = /^-?\d+(\.\d+)?$/.test(text)
  const ms = isNumber ? Math.floor(Number(text)) : Date.parse(text.replace(' ', 'T').replace(/(\+00)?$/, 'Z'))
  return Number.isSafeInteger(ms) && ms >= 0 ? ms : undefined
}

function withDefaults(columns: OutboxColumns = {}) {
  const { id = 'id', route = 'aggregatetype', key = 'aggregateid', payload = 'payload' } = columns
  const { timestamp, partition, headers = [], envelope = [] } = columns
  return { id, route, key, payload, timestamp, partition, headers, envelope }
}

function columnOf(field: OutboxField): string {
  return typeof field === 'string' ? field : field.column
}

function nameOf(field: OutboxField): string {
  return typeof field === 'string' ? field : field.as
}

function typeOf({ table }: InsertedRow, name: string): number | undefined {
  return table.shape.columns.find((column) => column.name === name)?.type
}

/** The value's own bytes: of `bytea` the bytes, of anything else its text. */
function columnBytes({ table, row }: InsertedRow, name: string): Buffer | undefined {
  const index = table.shape.columns.findIndex((column) => column.name === name)
  const value = index === -1 ? undefined : valueAt(row, index)
  if (value === undefined) return undefined
  if (table.shape.columns[index].type === BYTEA_OID) return Buffer.from(value.toString('latin1', 2), 'hex')
  return Buffer.from(value)
}
