/** Buffers from this size on are handed on by reference instead of being copied. */
const SHARE_FROM_BYTES = 4096
const FIRST_BYTES = 256

/** Bytes being encoded: grows as needed, and carries large buffers by reference. */
export class ByteWriter {
  /** The block being filled. `reserve` may replace it, so read it after reserving. */
  buffer: Buffer
  #length = 0
  #chunks: Buffer[] = []
  #chunkBytes = 0

  constructor(firstBytes = FIRST_BYTES) {
    this.buffer = Buffer.allocUnsafe(firstBytes)
  }

  /** Bytes written so far. */
  get sizeBytes(): number {
    return this.#chunkBytes + this.#length
  }

  /** Makes room for `length` bytes and returns their position in `buffer`. */
  reserve(length: number): number {
    const at = this.#length
    const needed = at + length
    if (needed > this.buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.buffer.length * 2))
      this.buffer.copy(grown, 0, 0, at)
      this.buffer = grown
    }
    this.#length = needed
    return at
  }

  /** Writes an unsigned variable-length integer of at most 32 bits. */
  uvarint(value: number): void {
    let rest = value >>> 0
    let at = this.reserve(uvarintBytes(rest))
    while (rest > 0x7f) {
      this.buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.buffer[at] = rest
  }

  /** Writes bytes; large ones are not copied, so nobody may change them afterwards. */
  bytes(bytes: Buffer): void {
    if (bytes.length < SHARE_FROM_BYTES) {
      const at = this.reserve(bytes.length)
      bytes.copy(this.buffer, at)
      return
    }
    this.#seal()
    this.#chunks.push(bytes)
    this.#chunkBytes += bytes.length
  }

  /** Everything written, in order. The writer is then empty. */
  finish(): Buffer[] {
    this.#seal()
    const chunks = this.#chunks
    this.#chunks = []
    this.#chunkBytes = 0
    return chunks
  }

  #seal(): void {
    if (this.#length === 0) return
    this.#chunks.push(this.buffer.subarray(0, this.#length))
    this.#chunkBytes += this.#length
    this.buffer = this.buffer.subarray(this.#length)
    this.#length = 0
  }
}

/** Size of an unsigned variable-length integer. */
export function uvarintBytes(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5
}
