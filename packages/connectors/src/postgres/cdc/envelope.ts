import type { Header } from '@millrace/log'
import type { SourceRecord } from '../../source.ts'
import { ByteWriter } from './byte-writer.ts'
import type { Tuple } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { Columns, TableEncoder } from './tables/table-encoder.ts'

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
const NO_HEADERS: readonly Header[] = Object.freeze([])

/** Writes records in the shape that Debezium's documentation gives: key and value as JSON without schemas. */
export class EnvelopeWriter {
  readonly #out = new ByteWriter()
  readonly #settings: EnvelopeSettings
  readonly #begin: Buffer
  readonly #database: Buffer
  readonly #tables = new WeakMap<TableEncoder, { readonly topic: string; readonly source: Buffer }>()

  constructor(settings: EnvelopeSettings) {
    this.#settings = settings
    const name = JSON.stringify(settings.prefix)
    this.#begin = Buffer.from(`"source":{"version":"${VERSION}","connector":"postgresql","name":${name},"ts_ms":`)
    this.#database = Buffer.from(`","db":${JSON.stringify(settings.database)},"sequence":"[\\"`)
  }

  /** The bytes of the row's key; null when the table has none. */
  key(table: TableEncoder, tuple: Tuple): Buffer | null {
    return table.key(this.#out, tuple)
  }

  /** `<prefix>.<schema>.<table>`. */
  topicOf(table: TableEncoder): string {
    return this.#tableParts(table).topic
  }

  /** A change of a row, or a truncate (then `key` is null and there is no tuple). */
  record(
    table: TableEncoder,
    change: Change,
    context: { readonly key: Buffer | null; readonly origin: ChangeOrigin; readonly headers?: readonly Header[] }
  ): SourceRecord {
    const out = this.#out
    out.ascii('{"before":')
    if (change.before) table.writeRow(out, change.before, change.beforeColumns)
    else out.ascii('null')
    out.ascii(',"after":')
    if (change.after) table.writeRow(out, change.after)
    else out.ascii('null')
    out.byte(0x2c)
    this.#writeSource(this.#tableParts(table).source, change.lsn, context.origin)
    if (change.order) this.#writeOrder(change.order)
    else out.ascii(',"transaction":null')
    this.#writeEnd(change.operation)
    return {
      topic: this.topicOf(table),
      key: context.key,
      value: out.take(),
      timestamp: Math.floor(context.origin.commitMicros / 1000),
      headers: context.headers ?? NO_HEADERS
    }
  }

  /** A logical message (`pg_logical_emit_message`), as Debezium's operation `m`. */
  message(
    message: { readonly prefix: string; readonly content: Buffer; readonly lsn: Lsn },
    origin: ChangeOrigin
  ): SourceRecord {
    const out = this.#out
    const prefix = JSON.stringify(message.prefix)
    out.ascii('{"op":"m",')
    this.#writeSource(Buffer.from('"schema":"","table":""'), message.lsn, origin)
    out.copy(Buffer.from(`,"message":{"prefix":${prefix},"content":"${message.content.toString('base64')}"}`))
    this.#writeClock()
    out.byte(0x7d)
    return {
      topic: `${this.#settings.prefix}.message`,
      key: Buffer.from(`{"prefix":${prefix}}`),
      value: out.take(),
      timestamp: Math.floor(origin.commitMicros / 1000)
    }
  }

  #tableParts(table: TableEncoder): { readonly topic: string; readonly source: Buffer } {
    const known = this.#tables.get(table)
    if (known) return known
    const { schema, table: name } = table.shape
    const parts = {
      topic: topicName(`${this.#settings.prefix}.${schema}.${name}`),
      source: Buffer.from(`"schema":${JSON.stringify(schema)},"table":${JSON.stringify(name)}`)
    }
    this.#tables.set(table, parts)
    return parts
  }

  #writeSource(table: Buffer, lsn: Lsn, origin: ChangeOrigin): void {
    const out = this.#out
    const micros = String(origin.commitMicros)
    const lsnText = String(lsn)
    out.copy(this.#begin)
    out.ascii(micros.slice(0, -3) || '0')
    out.ascii(',"snapshot":"')
    out.ascii(origin.snapshot)
    out.copy(this.#database)
    out.integer(origin.lastCommitLsn)
    out.ascii('\\",\\"')
    out.ascii(lsnText)
    out.ascii('\\"]","ts_us":')
    out.ascii(micros)
    out.ascii(',"ts_ns":')
    out.ascii(micros)
    out.ascii('000,')
    out.copy(table)
    out.ascii(',"txId":')
    out.ascii(origin.xid === null ? 'null' : String(origin.xid))
    out.ascii(',"lsn":')
    out.ascii(lsnText)
    out.ascii(',"xmin":null}')
  }

  #writeOrder(order: NonNullable<Change['order']>): void {
    this.#out.ascii(
      `,"transaction":{"id":"${order.id}","total_order":${order.total},"data_collection_order":${order.inTable}}`
    )
  }

  #writeEnd(operation: Operation): void {
    this.#out.ascii(',"op":"')
    this.#out.ascii(operation)
    this.#out.byte(0x22)
    this.#writeClock()
    this.#out.byte(0x7d)
  }

  #writeClock(): void {
    const now = String(this.#settings.nowMs())
    const out = this.#out
    out.ascii(',"ts_ms":')
    out.ascii(now)
    out.ascii(',"ts_us":')
    out.ascii(now)
    out.ascii('000,"ts_ns":')
    out.ascii(now)
    out.ascii('000000')
  }
}

/** Kafka's topic names hold letters, digits, dots, hyphens and underscores; anything else becomes an underscore, as Debezium does it. */
function topicName(name: string): string {
  return name.replace(/[^a-zA-Z0-9._-]/g, '_')
}
