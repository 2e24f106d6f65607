/** LevelDB masks the checksums it stores, so that a checksum of bytes with checksums in them keeps its strength. */
export function unmaskedCrc(bytes: Buffer, at: number): number {
  const rotated = (bytes.readUInt32LE(at) - 0xa282_ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/** Reads LevelDB's variable-length numbers and prefixed slices, one after the other. `at` is NaN after a read past the end. */
export class LevelCursor {
  readonly #bytes: Buffer
  at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.at = at
  }

  get atEnd(): boolean {
    return !(this.at < this.#bytes.length)
  }

  /** Up to 2^53; NaN when there is none. */
  number(): number {
    let value = 0
    for (let scale = 1; this.at < this.#bytes.length && scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.at++]
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    this.at = Number.NaN
    return Number.NaN
  }

  /** The next `length` bytes, shared. */
  take(length: number): Buffer {
    const start = this.at
    this.at = start + length <= this.#bytes.length ? start + length : Number.NaN
    return this.#bytes.subarray(start, start + length)
  }

  slice(): Buffer {
    return this.take(this.number())
  }
}
