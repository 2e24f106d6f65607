const BLOCK_BYTES = 256 * 1024
const HEX = Buffer.from('0123456789abcdef', 'latin1')
/** Below this many bytes a loop is quicker than a call of `copy`. */
const SHORT_BYTES = 24

/**
 * Writes JSON as bytes into blocks that are given away slice by slice: many small records share one block, and nothing becomes a string on its
 * way from the database's text to the log.
 */
export class ByteWriter {
  #block = Buffer.allocUnsafeSlow(BLOCK_BYTES)
  #start = 0
  #end = 0

  /** What was written since the last `take`; the bytes are the caller's. */
  take(): Buffer {
    const taken = this.#block.subarray(this.#start, this.#end)
    this.#start = this.#end
    return taken
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#end - this.#start
  }

  /** A copy of what was written from a `length` on. */
  copyFrom(length: number): Buffer {
    return Buffer.from(this.#block.subarray(this.#start + length, this.#end))
  }

  byte(value: number): void {
    if (this.#end === this.#block.length) this.#grow(1)
    this.#block[this.#end++] = value
  }

  /** Writes characters below U+0080. */
  ascii(text: string): void {
    if (this.#end + text.length > this.#block.length) this.#grow(text.length)
    if (text.length > SHORT_BYTES) {
      this.#end += this.#block.write(text, this.#end, 'latin1')
      return
    }
    const block = this.#block
    let end = this.#end
    for (let at = 0; at < text.length; at++) block[end++] = text.charCodeAt(at)
    this.#end = end
  }

  copy(source: Buffer, start = 0, end = source.length): void {
    const length = end - start
    if (this.#end + length > this.#block.length) this.#grow(length)
    if (length > SHORT_BYTES) {
      source.copy(this.#block, this.#end, start, end)
      this.#end += length
      return
    }
    const block = this.#block
    let at = this.#end
    for (let from = start; from < end; from++) block[at++] = source[from]
    this.#end = at
  }

  /** A safe integer, in decimal. */
  integer(value: number): void {
    this.ascii(String(value))
  }

  /** UTF-8 text as a JSON string, quotes included. */
  jsonString(source: Buffer, start = 0, end = source.length): void {
    this.byte(0x22)
    this.jsonStringPart(source, start, end)
    this.byte(0x22)
  }

  /** UTF-8 text as the inside of a JSON string. */
  jsonStringPart(source: Buffer, start: number, end: number): void {
    let clean = start
    for (let at = start; at < end; at++) {
      const byte = source[at]
      if (byte >= 0x20 && byte !== 0x22 && byte !== 0x5c) continue
      this.copy(source, clean, at)
      this.#escape(byte)
      clean = at + 1
    }
    this.copy(source, clean, end)
  }

  /** A string as a JSON string. */
  jsonText(text: string): void {
    this.jsonString(Buffer.from(text))
  }

  #escape(byte: number): void {
    this.byte(0x5c)
    switch (byte) {
      case 0x22:
      case 0x5c:
        this.byte(byte)
        return
      case 0x0a:
        this.byte(0x6e)
        return
      case 0x0d:
        this.byte(0x72)
        return
      case 0x09:
        this.byte(0x74)
        return
      default:
        this.ascii('u00')
        this.byte(HEX[byte >> 4])
        this.byte(HEX[byte & 15])
    }
  }

  #grow(needed: number): void {
    const length = this.#end - this.#start
    const block = Buffer.allocUnsafeSlow(Math.max(BLOCK_BYTES, (length + needed) * 2))
    this.#block.copy(block, 0, this.#start, this.#end)
    this.#block = block
    this.#start = 0
    this.#end = length
  }
}
