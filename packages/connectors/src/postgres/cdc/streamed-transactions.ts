import type { FileHandle, FileSystem } from '@millrace/log'
import { readLsn, writeLsn } from './replication/lsn.ts'
import type { StreamMessage } from './replication/message-queue.ts'

const FRAME_HEADER_BYTES = 16
const WINDOW_BYTES = 1024 * 1024

/** Where uncommitted changes go that are too many for memory. */
export interface SpillSettings {
  readonly files: FileSystem
  readonly directory: string
  /** Beginning of the files' names; files that begin so are left over from a source that died. */
  readonly prefix: string
  /** Bytes of all transactions together that stay in memory. */
  readonly memoryBytes: number
}

/**
 * Changes of large transactions that the server sends while they still run. They wait here for their commit, in memory and beyond a bound in
 * files, and are forgotten when the transaction, or the part of it after a savepoint, is rolled back.
 */
export class StreamedTransactions {
  readonly #settings: SpillSettings
  readonly #transactions = new Map<number, StreamedTransaction>()
  #memoryBytes = 0

  constructor(settings: SpillSettings) {
    this.#settings = settings
    this.#removeLeftovers()
  }

  /** Bytes in memory now. */
  get memoryBytes(): number {
    return this.#memoryBytes
  }

  /** Keeps a change. `subtransaction` is the transaction's own id outside of savepoints. */
  add(xid: number, subtransaction: number, message: StreamMessage): void {
    let transaction = this.#transactions.get(xid)
    if (!transaction) {
      transaction = new StreamedTransaction(this.#settings, xid)
      this.#transactions.set(xid, transaction)
    }
    this.#memoryBytes += transaction.add(subtransaction, message)
    if (this.#memoryBytes > this.#settings.memoryBytes) this.#memoryBytes -= this.#largest(transaction).spill()
  }

  /** Few large writes are better than many small ones. */
  #largest(begin: StreamedTransaction): StreamedTransaction {
    let largest = begin
    for (const one of this.#transactions.values()) if (one.memoryBytes > largest.memoryBytes) largest = one
    return largest
  }

  /** The transaction, or what it did since a savepoint, was rolled back. */
  abort(xid: number, subtransaction: number): void {
    if (xid === subtransaction) this.#forget(xid)
    else this.#transactions.get(xid)?.aborted.add(subtransaction)
  }

  /** The changes of a committed transaction, in order; it is forgotten when all were taken. */
  *commit(xid: number): Generator<StreamMessage, void, undefined> {
    const transaction = this.#transactions.get(xid)
    try {
      if (transaction) yield* transaction.messages()
    } finally {
      this.#forget(xid)
    }
  }

  close(): void {
    for (const xid of [...this.#transactions.keys()]) this.#forget(xid)
  }

  #forget(xid: number): void {
    const transaction = this.#transactions.get(xid)
    if (!transaction) return
    this.#transactions.delete(xid)
    this.#memoryBytes -= transaction.memoryBytes
    transaction.remove()
  }

  #removeLeftovers(): void {
    const { files, directory, prefix } = this.#settings
    if (!files.exists(directory)) return
    for (const entry of files.list(directory)) {
      if (entry.kind === 'file' && entry.name.startsWith(prefix)) files.remove(`${directory}/${entry.name}`)
    }
  }
}

class StreamedTransaction {
  readonly aborted = new Set<number>()
  memoryBytes = 0
  readonly #settings: SpillSettings
  readonly #path: string
  #frames: Buffer[] = []
  #file: FileHandle | undefined
  #fileBytes = 0

  constructor(settings: SpillSettings, xid: number) {
    this.#settings = settings
    this.#path = `${settings.directory}/${settings.prefix}${xid}`
  }

  add(subtransaction: number, message: StreamMessage): number {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + message.bytes.length)
    frame.writeUInt32BE(message.bytes.length, 0)
    frame.writeUInt32BE(subtransaction, 4)
    writeLsn(frame, message.lsn, 8)
    message.bytes.copy(frame, FRAME_HEADER_BYTES)
    this.#frames.push(frame)
    this.memoryBytes += frame.length
    return frame.length
  }

  spill(): number {
    const { files, directory } = this.#settings
    if (!this.#file) {
      files.makeDirectory(directory)
      this.#file = files.open(this.#path, 'write')
    }
    const length = this.memoryBytes
    this.#file.write(this.#frames, this.#fileBytes)
    this.#fileBytes += length
    this.#frames = []
    this.memoryBytes = 0
    return length
  }

  *messages(): Generator<StreamMessage, void, undefined> {
    for (const frame of this.#stored()) {
      if (this.aborted.has(frame.readUInt32BE(4))) continue
      yield { lsn: readLsn(frame, 8), bytes: frame.subarray(FRAME_HEADER_BYTES) }
    }
  }

  *#stored(): Generator<Buffer, void, undefined> {
    let left = Buffer.alloc(0)
    for (let position = 0; this.#file && position < this.#fileBytes; ) {
      const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, this.#fileBytes - position))
      const length = this.#file.read(window, position)
      position += length
      const bytes = Buffer.concat([left, window.subarray(0, length)])
      let at = 0
      while (bytes.length - at >= FRAME_HEADER_BYTES) {
        const end = at + FRAME_HEADER_BYTES + bytes.readUInt32BE(at)
        if (end > bytes.length) break
        yield bytes.subarray(at, end)
        at = end
      }
      left = bytes.subarray(at)
    }
    yield* this.#frames
  }

  remove(): void {
    this.#file?.close()
    if (this.#file) this.#settings.files.remove(this.#path)
    this.#file = undefined
  }
}
