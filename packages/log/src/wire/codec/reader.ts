import { DecodeError } from './errors.ts'

/** A place in a buffer that is being decoded. Nothing is read, and nothing allocated, beyond `end`. */
export class ByteReader {
  readonly buffer: Buffer
  position: number
  end: number

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  /** Bytes left. */
  get remaining(): number {
    return this.end - this.position
  }

  /** Moves past `length` bytes and returns where they begin. */
  take(length: number): number {
    const at = this.position
    if (length > this.end - at) this.fail(`${length} bytes are needed and ${this.end - at} are left`)
    this.position = at + length
    return at
  }

  /** The next `length` bytes as a view of the buffer. */
  view(length: number): Buffer {
    const at = this.take(length)
    return this.buffer.subarray(at, at + length)
  }

  /** An unsigned variable-length integer of at most 32 bits. */
  uvarint(): number {
    let value = 0
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.buffer[this.take(1)]
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value >>> 0
      }
    }
    return this.fail('a variable-length integer has more than 32 bits')
  }

  fail(reason: string): never {
    throw new DecodeError({ reason, path: '', position: this.position })
  }
}
