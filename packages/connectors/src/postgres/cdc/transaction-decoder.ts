import { ChangeDecoder, type ChangeDecoderParts } from './change-decoder.ts'
import { ReplicationProtocolError } from './errors.ts'
import { OpenTransaction } from './open-transaction.ts'
import { MessageReader } from './pgoutput/message.ts'
import type { Lsn } from './replication/lsn.ts'
import type { StreamMessage } from './replication/message-queue.ts'
import type { StreamedTransactions } from './streamed-transactions.ts'

const code = (letter: string) => letter.charCodeAt(0)
const BEGIN = code('B')
const COMMIT = code('C')
const STREAM_START = code('S')
const STREAM_STOP = code('E')
const STREAM_COMMIT = code('c')
const STREAM_ABORT = code('A')

/** What is done with the transactions. */
export interface DecoderParts extends ChangeDecoderParts {
  readonly streamed: StreamedTransactions
  /** A transaction with changes was committed. */
  readonly transaction: (xid: number) => void
}

/** Where reading goes on. */
export interface DecoderPosition {
  readonly lsn: Lsn
  readonly open?: { readonly commit: Lsn; readonly changes: number }
}

/** Follows the transactions of the stream and hands each change to the writer, those of unfinished large transactions at their commit. */
export class TransactionDecoder {
  readonly #parts: DecoderParts
  readonly #reader = new MessageReader()
  readonly #changes: ChangeDecoder
  #lsn: Lsn
  #resume: DecoderPosition['open']
  #open: OpenTransaction | undefined
  /** The transaction whose block of early changes is arriving. */
  #block: number | undefined
  #replay: { readonly messages: Iterator<StreamMessage>; readonly end: Lsn } | undefined

  constructor(parts: DecoderParts, position: DecoderPosition) {
    this.#parts = parts
    this.#changes = new ChangeDecoder(parts)
    this.#lsn = position.lsn
    this.#resume = position.open
  }

  /** No transaction is half done. */
  get isBetweenTransactions(): boolean {
    return this.#open === undefined
  }

  get position(): DecoderPosition {
    const open = this.#open
    const changes = open?.changesInLog
    if (!open || changes === undefined) return { lsn: this.#lsn }
    return { lsn: this.#lsn, open: { commit: open.commitLsn, changes } }
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
    return this.#changes.takeWatermarks()
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
    const origin = { xid, commitMicros, lastCommitLsn: this.#lsn, snapshot: 'false' } as const
    const open = new OpenTransaction(commitLsn, origin, skip)
    this.#open = open
    this.#resume = undefined
    if (!metadata) return
    metadata.begin(`${xid}:${commitLsn}`)
    if (open.isNew) add(metadata.beginRecord(Math.floor(commitMicros / 1000)))
  }

  #commit(end: Lsn): undefined {
    const open = this.#open
    if (!open) throw new ReplicationProtocolError('the replication stream commits a transaction that did not begin')
    const { metadata, add, transaction } = this.#parts
    this.#open = undefined
    if (end > this.#lsn) this.#lsn = end
    if (open.hasRows) transaction(open.origin.xid)
    if (metadata && !open.isOld) {
      add(metadata.endRecord(Math.floor(open.origin.commitMicros / 1000)))
    }
  }

  #change(message: StreamMessage): Promise<void> | undefined {
    const done = this.#changes.decode(message, { open: this.#open, lastCommitLsn: this.#lsn })
    if (typeof done !== 'number') return done
    this.advance(done)
    return undefined
  }
}
