import type { SourceRecord } from '../../source.ts'
import type { ChangeWriter, RowChangeOf } from './change-writer.ts'
import type { ChangeOrigin, EnvelopeWriter } from './envelope.ts'
import { ReplicationProtocolError } from './errors.ts'
import { MessageReader, readRelation, type Tuple } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { StreamMessage } from './replication/message-queue.ts'
import type { StreamedTransactions } from './streamed-transactions.ts'
import type { Relation, Relations } from './tables/relations.ts'
import type { TransactionMetadata } from './transaction-metadata.ts'

const code = (letter: string) => letter.charCodeAt(0)
const BEGIN = code('B')
const COMMIT = code('C')
const RELATION = code('R')
const INSERT = code('I')
const UPDATE = code('U')
const DELETE = code('D')
const TRUNCATE = code('T')
const MESSAGE = code('M')
const STREAM_START = code('S')
const STREAM_STOP = code('E')
const STREAM_COMMIT = code('c')
const STREAM_ABORT = code('A')
const OLD_KEY = code('K')
const OLD_ROW = code('O')

/** Prefix of the logical messages by which a snapshot finds itself in the stream. */
export const WATERMARK_PREFIX = 'millrace.watermark'

/** What is done with the changes. */
export interface DecoderParts {
  readonly relations: Relations
  readonly writer: ChangeWriter
  readonly envelope: EnvelopeWriter
  readonly streamed: StreamedTransactions
  readonly metadata: TransactionMetadata | undefined
  readonly add: (record: SourceRecord) => void
  readonly nowMs: () => number
  readonly emitTruncates: boolean
  readonly emitMessages: boolean
  /** A row was inserted into a table that is not captured for its own sake. */
  readonly special: (relation: Relation, row: Tuple, origin: ChangeOrigin) => void
  /** A transaction with changes was committed. */
  readonly transaction: (xid: number) => void
}

/** Where reading goes on. */
export interface DecoderPosition {
  readonly lsn: Lsn
  readonly open?: { readonly commit: Lsn; readonly changes: number }
}

interface OpenTransaction {
  readonly xid: number
  readonly commitLsn: Lsn
  readonly origin: ChangeOrigin
  /** Changes that were in the log before this source was opened. */
  readonly skip: number
  changes: number
  hasRows: boolean
}

/** Follows the transactions of the stream and hands each change to the writer, those of unfinished large transactions at their commit. */
export class TransactionDecoder {
  readonly #parts: DecoderParts
  readonly #reader = new MessageReader()
  readonly #watermarks: string[] = []
  #lsn: Lsn
  #resume: DecoderPosition['open']
  #open: OpenTransaction | undefined
  /** The transaction whose block of early changes is arriving. */
  #block: number | undefined
  #replay: { readonly messages: Iterator<StreamMessage>; readonly end: Lsn } | undefined

  constructor(parts: DecoderParts, position: DecoderPosition) {
    this.#parts = parts
    this.#lsn = position.lsn
    this.#resume = position.open
  }

  /** No transaction is half done. */
  get isBetweenTransactions(): boolean {
    return this.#open === undefined
  }

  get position(): DecoderPosition {
    const open = this.#open
    if (!open || open.changes === 0 || open.skip === Number.POSITIVE_INFINITY) return { lsn: this.#lsn }
    return { lsn: this.#lsn, open: { commit: open.commitLsn, changes: Math.max(open.changes, open.skip) } }
  }

  /** Nothing of interest is before this: the server said so between two transactions. */
  advance(lsn: Lsn): void {
    if (!this.#open && lsn > this.#lsn) this.#lsn = lsn
  }

  /** Whether early changes wait here for their commit. */
  get isInBlock(): boolean {
    return this.#block !== undefined
  }

  /** Watermarks that were passed since the last call. */
  takeWatermarks(): string[] {
    return this.#watermarks.splice(0)
  }

  /** Takes a step through a large transaction that is being delivered; false when there is none. */
  replay(): Promise<void> | boolean {
    if (!this.#replay) return false
    const next = this.#replay.messages.next()
    if (next.done) {
      this.#commit(this.#replay.end)
      this.#replay = undefined
      return true
    }
    return this.#change(next.value) ?? true
  }

  /** Takes a message of the stream. A promise when the database must be asked first. */
  handle(message: StreamMessage): Promise<void> | undefined {
    const { bytes } = message
    if (this.#block !== undefined && bytes[0] !== STREAM_STOP) {
      this.#keep(this.#block, message)
      return undefined
    }
    switch (bytes[0]) {
      case BEGIN:
        return this.#begin(message)
      case COMMIT:
        this.#reader.open(bytes, 10)
        return this.#commit(this.#reader.lsn())
      case STREAM_START:
        this.#block = bytes.readUInt32BE(1)
        return undefined
      case STREAM_STOP:
        this.#block = undefined
        return undefined
      case STREAM_COMMIT:
        return this.#streamCommit(message)
      case STREAM_ABORT:
        this.#parts.streamed.abort(bytes.readUInt32BE(1), bytes.readUInt32BE(5))
        return undefined
      default:
        return this.#change(message)
    }
  }

  /** Takes the transaction's id out of the message: what is left is as it would be without streaming. */
  #keep(xid: number, message: StreamMessage): void {
    const { bytes, lsn } = message
    const plain = Buffer.allocUnsafe(bytes.length - 4)
    plain[0] = bytes[0]
    bytes.copy(plain, 1, 5)
    this.#parts.streamed.add(xid, bytes.readUInt32BE(1), { lsn, bytes: plain })
  }

  #begin(message: StreamMessage): undefined {
    const reader = this.#reader
    reader.open(message.bytes)
    const commitLsn = reader.lsn()
    const commitMicros = reader.timestampMicros()
    this.#openTransaction(reader.uint32(), commitLsn, commitMicros)
  }

  #streamCommit(message: StreamMessage): undefined {
    const reader = this.#reader
    reader.open(message.bytes)
    const xid = reader.uint32()
    reader.uint8()
    const commitLsn = reader.lsn()
    const end = reader.lsn()
    this.#openTransaction(xid, commitLsn, reader.timestampMicros())
    this.#replay = { messages: this.#parts.streamed.commit(xid), end }
  }

  #openTransaction(xid: number, commitLsn: Lsn, commitMicros: number): void {
    const { metadata, add } = this.#parts
    const resumed = this.#resume?.commit === commitLsn ? this.#resume.changes : 0
    const isOld = commitLsn < this.#lsn
    const skip = isOld ? Number.POSITIVE_INFINITY : resumed
    const origin: ChangeOrigin = { xid, commitMicros, lastCommitLsn: this.#lsn, snapshot: 'false' }
    this.#open = { xid, commitLsn, origin, skip, changes: 0, hasRows: false }
    this.#resume = undefined
    if (!metadata) return
    metadata.begin(`${xid}:${commitLsn}`)
    if (skip === 0) add(metadata.beginRecord(Math.floor(commitMicros / 1000)))
  }

  #commit(end: Lsn): undefined {
    const open = this.#open
    if (!open) throw new ReplicationProtocolError('the replication stream commits a transaction that did not begin')
    const { metadata, add, transaction } = this.#parts
    this.#open = undefined
    if (end > this.#lsn) this.#lsn = end
    if (open.hasRows) transaction(open.xid)
    if (metadata && open.skip !== Number.POSITIVE_INFINITY) {
      add(metadata.endRecord(Math.floor(open.origin.commitMicros / 1000)))
    }
  }

  #change(message: StreamMessage): Promise<void> | undefined {
    const reader = this.#reader
    reader.open(message.bytes)
    switch (message.bytes[0]) {
      case INSERT:
      case UPDATE:
      case DELETE:
        this.#row(message)
        return undefined
      case RELATION:
        return this.#parts.relations.announce(readRelation(reader))
      case TRUNCATE:
        return this.#truncate(message)
      case MESSAGE:
        this.#message()
        return undefined
      default:
        // O (origin) and Y (type) say nothing that is needed.
        return undefined
    }
  }

  #row(message: StreamMessage): void {
    const open = this.#opened()
    const relation = this.#parts.relations.get(this.#reader.uint32())
    open.changes += 1
    if (!relation || relation.role === 'ignore') return
    const order = relation.role === 'capture' ? this.#parts.metadata?.next(relation.encoder.name) : undefined
    if (open.changes <= open.skip) return
    const { lsn } = message
    const change = { relation, lsn, xid: open.xid, origin: open.origin, ...(order ? { order } : {}) }
    open.hasRows = true
    if (message.bytes[0] === INSERT) this.#insert(change)
    else if (relation.role !== 'capture') return
    else if (message.bytes[0] === UPDATE) this.#update(change)
    else this.#delete(change)
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

  async #truncate(message: StreamMessage): Promise<void> {
    const reader = this.#reader
    const open = this.#opened()
    const count = reader.uint32()
    reader.uint8()
    const oids = Array.from({ length: count }, () => reader.uint32())
    open.changes += 1
    for (const oid of oids) {
      const relation = this.#parts.relations.get(oid)
      if (relation?.role !== 'capture') continue
      const order = this.#parts.metadata?.next(relation.encoder.name)
      if (open.changes <= open.skip) continue
      open.hasRows = true
      const change = { relation, lsn: message.lsn, xid: open.xid, origin: open.origin, ...(order ? { order } : {}) }
      await this.#parts.writer.truncate(change, this.#parts.emitTruncates)
    }
  }

  #message(): void {
    const { add, envelope, emitMessages, nowMs } = this.#parts
    const reader = this.#reader
    const isTransactional = (reader.uint8() & 1) === 1
    const lsn = reader.lsn()
    const prefix = reader.text()
    const content = reader.rest(reader.uint32())
    const open = this.#open
    if (isTransactional && open) open.changes += 1
    if (prefix === WATERMARK_PREFIX) {
      this.#watermarks.push(content.toString('latin1'))
      return
    }
    const isOld = open && isTransactional ? open.changes <= open.skip : lsn < this.#lsn
    if (!emitMessages || isOld) return
    const origin: ChangeOrigin =
      open && isTransactional
        ? open.origin
        : { xid: null, commitMicros: nowMs() * 1000, lastCommitLsn: this.#lsn, snapshot: 'false' }
    add(envelope.message({ prefix, content, lsn }, origin))
    this.advance(lsn + 1)
  }

  #opened(): OpenTransaction {
    if (!this.#open) throw new ReplicationProtocolError('the replication stream changes a row outside of a transaction')
    return this.#open
  }
}
