import type { Lsn } from './lsn.ts'

const BLOCK_BYTES = 512 * 1024

/** A message of the stream: its position in the write-ahead log, and its bytes. An empty one only says how far the server has come. */
export interface StreamMessage {
  readonly lsn: Lsn
  readonly bytes: Buffer
}

/**
 * Messages that have arrived and were not taken yet. They are copied, since the driver writes the next bytes of the connection over them.
 */
export class MessageQueue {
  #messages: StreamMessage[] = []
  #next = 0
  #bytes = 0
  #block = Buffer.alloc(0)
  #used = 0

  /** Bytes of the messages that wait. */
  get sizeBytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#next === this.#messages.length
  }

  /** Adds what follows `start` in the chunk. */
  push(lsn: Lsn, chunk: Buffer, start: number): void {
    const length = chunk.length - start
    if (this.#used + length > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, length))
      this.#used = 0
    }
    chunk.copy(this.#block, this.#used, start)
    this.#messages.push({ lsn, bytes: this.#block.subarray(this.#used, this.#used + length) })
    this.#used += length
    this.#bytes += length
  }

  take(): StreamMessage | undefined {
    if (this.isEmpty) return undefined
    const message = this.#messages[this.#next++]
    this.#bytes -= message.bytes.length
    if (this.isEmpty) {
      this.#messages = []
      this.#next = 0
    }
    return message
  }
}
