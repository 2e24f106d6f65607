import type { SourceRecord } from '../../source.ts'
import type { ChangeWriter, RowChangeOf } from './change-writer.ts'
import type { ChangeOrigin, EnvelopeWriter } from './envelope.ts'
import { ReplicationProtocolError } from './errors.ts'
import type { OpenTransaction } from './open-transaction.ts'
import { MessageReader, readRelation, type Tuple } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { StreamMessage } from './replication/message-queue.ts'
import type { Relation, Relations } from './tables/relations.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

const code = (letter: string) => letter.charCodeAt(0)
const RELATION = code('R')
const INSERT = code('I')
const UPDATE = code('U')
const DELETE = code('D')
const TRUNCATE = code('T')
const MESSAGE = code('M')
const OLD_KEY = code('K')
const OLD_ROW = code('O')

/** Prefix of the logical messages by which a snapshot finds itself in the stream. */
export const WATERMARK_PREFIX = 'millrace.watermark'

/** What is done with the changes. */
export interface ChangeDecoderParts {
  readonly relations: Relations
  readonly writer: ChangeWriter
  readonly envelope: EnvelopeWriter
  readonly metadata: TransactionMetadata | undefined
  readonly add: (record: SourceRecord) => void
  readonly nowMs: () => number
  readonly emitTruncates: boolean
  readonly emitMessages: boolean
  /** A row was inserted into a table that is not captured for its own sake. */
  readonly special: (relation: Relation, row: Tuple, origin: ChangeOrigin) => void
  /** A row of such a table was updated. */
  readonly specialUpdate: (relation: Relation) => void
}

/** Where in the stream a message stands. */
export interface StreamPlace {
  /** Undefined between transactions. */
  readonly open: OpenTransaction | undefined
  /** End of the transaction committed before. */
  readonly lastCommitLsn: Lsn
}

/** Reads the messages that stand inside transactions, and those that need none: changes of rows, truncates, shapes of tables, logical messages. */
export class ChangeDecoder {
  readonly #parts: ChangeDecoderParts
  readonly #reader = new MessageReader()
  readonly #watermarks: string[] = []

  constructor(parts: ChangeDecoderParts) {
    this.#parts = parts
  }

  /** Watermarks that were passed since the last call. */
  takeWatermarks(): string[] {
    return this.#watermarks.splice(0)
  }

  /**
   * Hands on what the message says, unless the log has it. A promise when the database must be asked first; the position after a message that
   * stands for itself, outside of transactions.
   */
  decode(message: StreamMessage, place: StreamPlace): Promise<void> | Lsn | undefined {
    const reader = this.#reader
    reader.open(message.bytes)
    switch (message.bytes[0]) {
      case INSERT:
      case UPDATE:
      case DELETE:
        this.#row(message, opened(place))
        return undefined
      case RELATION:
        return this.#parts.relations.announce(readRelation(reader))
      case TRUNCATE:
        return this.#truncate(message, opened(place))
      case MESSAGE:
        return this.#message(place)
      default:
        // O (origin) and Y (type) say nothing that is needed.
        return undefined
    }
  }

  #row(message: StreamMessage, open: OpenTransaction): void {
    const relation = this.#parts.relations.get(this.#reader.uint32())
    open.count()
    if (!relation || relation.role === 'ignore') return
    const change = this.#changeOf(relation, message.lsn, open)
    if (open.isSkipping) return
    open.hasRows = true
    if (message.bytes[0] === INSERT) this.#insert(change)
    else if (relation.role !== 'capture') {
      if (message.bytes[0] === UPDATE) this.#parts.specialUpdate(relation)
    } else if (message.bytes[0] === UPDATE) this.#update(change)
    else this.#delete(change)
  }

  /** Counts the change among those of its table, also one that is skipped. */
  #changeOf(relation: Relation, lsn: Lsn, { origin }: OpenTransaction): RowChangeOf {
    const order = relation.role === 'capture' ? this.#parts.metadata?.next(relation.encoder.name) : undefined
    return { relation, lsn, xid: origin.xid, origin, ...(order ? { order } : {}) }
  }

  #insert(change: RowChangeOf): void {
    this.#reader.uint8()
    const row = this.#reader.tuple(change.relation.newPlaces)
    if (change.relation.role === 'capture') this.#parts.writer.insert(change, row)
    else this.#parts.special(change.relation, row, change.origin)
  }

  #update(change: RowChangeOf): void {
    const reader = this.#reader
    const kind = reader.uint8()
    let old: Tuple | undefined
    if (kind === OLD_KEY || kind === OLD_ROW) {
      old = reader.tuple(change.relation.oldPlaces)
      reader.uint8()
    }
    this.#parts.writer.update(change, reader.tuple(change.relation.newPlaces), old)
  }

  #delete(change: RowChangeOf): void {
    this.#reader.uint8()
    this.#parts.writer.delete(change, this.#reader.tuple(change.relation.oldPlaces))
  }

  async #truncate({ lsn }: StreamMessage, open: OpenTransaction): Promise<void> {
    const reader = this.#reader
    const count = reader.uint32()
    reader.uint8()
    const oids = Array.from({ length: count }, () => reader.uint32())
    open.count()
    for (const oid of oids) {
      const relation = this.#parts.relations.get(oid)
      if (relation?.role !== 'capture') continue
      const change = this.#changeOf(relation, lsn, open)
      if (open.isSkipping) continue
      open.hasRows = true
      await this.#parts.writer.truncate(change, this.#parts.emitTruncates)
    }
  }

  #message({ open, lastCommitLsn }: StreamPlace): Lsn | undefined {
    const { add, envelope, emitMessages, nowMs } = this.#parts
    const reader = this.#reader
    const isTransactional = (reader.uint8() & 1) === 1
    const lsn = reader.lsn()
    const prefix = reader.text()
    const content = reader.rest(reader.uint32())
    const within = isTransactional ? open : undefined
    within?.count()
    if (prefix === WATERMARK_PREFIX) {
      this.#watermarks.push(content.toString('latin1'))
      return undefined
    }
    const isOld = within ? within.isSkipping : lsn < lastCommitLsn
    if (!emitMessages || isOld) return undefined
    const alone = { xid: null, commitMicros: nowMs() * 1000, lastCommitLsn, snapshot: 'false' } as const
    add(envelope.message({ prefix, content, lsn }, within?.origin ?? alone))
    return lsn + 1
  }
}

function opened({ open }: StreamPlace): OpenTransaction {
  if (!open) throw new ReplicationProtocolError('the replication stream changes a row outside of a transaction')
  return open
}
