import { type Header, NO_HEADERS } from '@millrace/log'
import type { SourceRecord } from '../../source.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Tuple } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { Columns, TableEncoder } from './tables/table-encoder.ts'
import { topicName } from './topic-name.ts'

/** Debezium's letters: snapshot read, create, update, delete, truncate. */
export type Operation = 'r' | 'c' | 'u' | 'd' | 't'

/** Debezium's marks of records of a snapshot. */
export type SnapshotMark = 'false' | 'true' | 'first_in_data_collection' | 'last_in_data_collection' | 'incremental'

/** The transaction that a change belongs to. */
export interface ChangeOrigin {
  /** Transaction id; null for rows that were read. */
  readonly xid: number | null
  /** When it was committed, microseconds since the epoch. */
  readonly commitMicros: number
  /** End of the transaction committed before. */
  readonly lastCommitLsn: Lsn
  readonly snapshot: SnapshotMark
}

/** One change to be written. */
export interface Change {
  readonly operation: Operation
  readonly lsn: Lsn
  readonly before?: Tuple
  /** What `before` holds; all columns by default. */
  readonly beforeColumns?: Columns
  readonly after?: Tuple
  /** Place in its transaction, where transaction metadata is wanted. */
  readonly order?: { readonly total: number; readonly inTable: number; readonly id: string }
}

/** What is the same in every record of a source. */
export interface EnvelopeSettings {
  /** Prefix of the topics, and `source.name`. */
  readonly prefix: string
  readonly database: string
  /** Milliseconds since the epoch, now. */
  readonly nowMs: () => number
}

const VERSION = '3.7.0.Final'
/** A truncate concerns the keys of all partitions. */
const EVERYWHERE = { partition: 'all' } as const

const BEFORE = Buffer.from('{"before":')
const NOTHING_BEFORE = Buffer.from('{"before":null,"after":')
const AFTER = Buffer.from(',"after":')
const NULL = Buffer.from('null')
const END_OF_SOURCE = ',"xmin":null}'

/** What is the same for all changes of one table in one transaction: all of `source` but the position, which stands in it twice. */
interface SourceFrame {
  readonly table: TableEncoder | undefined
  readonly origin: ChangeOrigin
  readonly begin: Buffer
  readonly middle: Buffer
}

/** What was written last behind the rows of a record, in parts or, from the second time on, whole. */
interface RecordTail {
  readonly table: TableEncoder
  readonly origin: ChangeOrigin
  readonly lsn: Lsn
  readonly end: Buffer
  readonly bytes: Buffer | undefined
}

/** Writes records in the shape that Debezium's documentation gives: key and value as JSON without schemas. */
export class EnvelopeWriter {
  readonly #out = new ByteWriter()
  readonly #settings: EnvelopeSettings
  readonly #topics = new WeakMap<TableEncoder, string>()
  readonly #ends = new Map<Operation, Buffer>()
  #endsAtMs = -1
  #frame: SourceFrame | undefined
  #tail: RecordTail | undefined

  constructor(settings: EnvelopeSettings) {
    this.#settings = settings
  }

  /** The bytes of the row's key; null when the table has none. */
  key(table: TableEncoder, tuple: Tuple): Buffer | null {
    return table.key(this.#out, tuple)
  }

  /** `<prefix>.<schema>.<table>`. */
  topicOf(table: TableEncoder): string {
    const known = this.#topics.get(table)
    if (known !== undefined) return known
    const topic = topicName(`${this.#settings.prefix}.${table.name}`)
    this.#topics.set(table, topic)
    return topic
  }

  /** A change of a row, or a truncate (then `key` is null and there is no tuple). */
  record(
    table: TableEncoder,
    change: Change,
    context: { readonly key: Buffer | null; readonly origin: ChangeOrigin; readonly headers?: readonly Header[] }
  ): SourceRecord {
    const out = this.#out
    if (change.before) {
      out.copy(BEFORE)
      table.writeRow(out, change.before, change.beforeColumns)
      out.copy(AFTER)
    } else out.copy(NOTHING_BEFORE)
    if (change.after) table.writeRow(out, change.after)
    else out.copy(NULL)
    this.#writeTail(table, change, context.origin)
    const record = {
      topic: this.topicOf(table),
      key: context.key,
      value: out.take(),
      timestamp: Math.floor(context.origin.commitMicros / 1000),
      headers: context.headers ?? NO_HEADERS
    }
    return change.operation === 't' ? { ...record, ...EVERYWHERE } : record
  }

  /** A logical message (`pg_logical_emit_message`), as Debezium's operation `m`. */
  message(
    message: { readonly prefix: string; readonly content: Buffer; readonly lsn: Lsn },
    origin: ChangeOrigin
  ): SourceRecord {
    const out = this.#out
    const prefix = JSON.stringify(message.prefix)
    const content = message.content.toString('base64')
    out.ascii('{"op":"m"')
    this.#writeSource(undefined, message.lsn, origin)
    out.copy(Buffer.from(`${END_OF_SOURCE},"message":{"prefix":${prefix},"content":"${content}"}${this.#clock()}}`))
    return {
      topic: `${this.#settings.prefix}.message`,
      key: Buffer.from(`{"prefix":${prefix}}`),
      value: out.take(),
      timestamp: Math.floor(origin.commitMicros / 1000)
    }
  }

  /** What follows the rows: where the change comes from, and what it is. */
  #writeTail(table: TableEncoder, { lsn, operation, order }: Change, origin: ChangeOrigin): void {
    const out = this.#out
    const end = order ? this.#orderedEnd(operation, order) : this.#end(operation)
    const tail = this.#tail
    const same = tail?.end === end && tail.lsn === lsn && tail.table === table && tail.origin === origin
    if (same && tail.bytes) {
      out.copy(tail.bytes)
      return
    }
    const begin = out.length
    this.#writeSource(table, lsn, origin)
    out.copy(end)
    // The second time; changes of the stream are each somewhere else, and the rows of a chunk all in the same place.
    this.#tail = { table, origin, lsn, end, bytes: same ? out.copyFrom(begin) : undefined }
  }

  #writeSource(table: TableEncoder | undefined, lsn: Lsn, origin: ChangeOrigin): void {
    if (this.#frame?.table !== table || this.#frame?.origin !== origin) this.#frame = this.#frameOf(table, origin)
    const text = String(lsn)
    const out = this.#out
    out.copy(this.#frame.begin)
    out.ascii(text)
    out.copy(this.#frame.middle)
    out.ascii(text)
  }

  #frameOf(table: TableEncoder | undefined, origin: ChangeOrigin): SourceFrame {
    const { prefix, database } = this.#settings
    const micros = String(origin.commitMicros)
    const begin =
      `,"source":{"version":"${VERSION}","connector":"postgresql","name":${JSON.stringify(prefix)},` +
      `"ts_ms":${micros.slice(0, -3) || '0'},"snapshot":"${origin.snapshot}","db":${JSON.stringify(database)},` +
      `"sequence":"[\\"${origin.lastCommitLsn}\\",\\"`
    const middle =
      `\\"]","ts_us":${micros},"ts_ns":${micros}000,"schema":${JSON.stringify(table?.shape.schema ?? '')},` +
      `"table":${JSON.stringify(table?.shape.table ?? '')},"txId":${origin.xid},"lsn":`
    return { table, origin, begin: Buffer.from(begin), middle: Buffer.from(middle) }
  }

  /** What follows the positions in `source`; the same for all changes of a millisecond. */
  #end(operation: Operation): Buffer {
    const nowMs = this.#settings.nowMs()
    if (nowMs !== this.#endsAtMs) {
      this.#ends.clear()
      this.#endsAtMs = nowMs
    }
    const known = this.#ends.get(operation)
    if (known) return known
    const end = Buffer.from(`${END_OF_SOURCE},"transaction":null,"op":"${operation}"${this.#clock()}}`)
    this.#ends.set(operation, end)
    return end
  }

  #orderedEnd(operation: Operation, order: NonNullable<Change['order']>): Buffer {
    const transaction = `{"id":"${order.id}","total_order":${order.total},"data_collection_order":${order.inTable}}`
    return Buffer.from(`${END_OF_SOURCE},"transaction":${transaction},"op":"${operation}"${this.#clock()}}`)
  }

  #clock(): string {
    const now = this.#settings.nowMs()
    return `,"ts_ms":${now},"ts_us":${now}000,"ts_ns":${now}000000`
  }
}
