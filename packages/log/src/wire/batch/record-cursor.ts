import { DecodeError } from '../codec/errors.ts'

/** A header of a record. Keys may repeat, and their order is kept. */
export interface Header {
  readonly key: string
  readonly value: Buffer | null
}

/** The headers of a record that has none: one frozen list for all of them. */
export const NO_HEADERS: readonly Header[] = Object.freeze([])

/** What a cursor needs to know of the batch around its records. */
export interface RecordsFrame {
  readonly baseOffset: number
  /** What the records' timestamp deltas count from. */
  readonly baseTimestamp: number
  /** The time that every record has, where the broker sets it; undefined with create time. */
  readonly logAppendTime: number | undefined
  readonly recordCount: number
}

/**
 * Walks the records of a batch. One object is reused for all of them: after `next()` its fields describe the current record, as
 * positions within `buffer`, and nothing is allocated for it. Keys and values are decoded by whoever needs them.
 */
export class RecordCursor {
  /** The records' bytes, decompressed. Read-only: perhaps shared with other readers. */
  readonly buffer: Buffer
  offset = -1
  /** Milliseconds since the epoch. */
  timestamp = -1
  /** First byte of the key; -1 for a null key. */
  keyStart = -1
  keyEnd = -1
  /** First byte of the value; -1 for a null value. */
  valueStart = -1
  valueEnd = -1
  readonly #frame: RecordsFrame
  readonly #end: number
  #index = 0
  #position: number
  #headersStart = -1

  /** Walks `frame.recordCount` records within `buffer` from `start` up to `end`. */
  constructor(buffer: Buffer, frame: RecordsFrame, range: { readonly start: number; readonly end: number }) {
    this.buffer = buffer
    this.#frame = frame
    this.#position = range.start
    this.#end = range.end
  }

  /** First byte after the current record; before the first one, where the records begin. */
  get position(): number {
    return this.#position
  }

  /**
   * Moves to the next record; false after the last.
   * @throws DecodeError when the bytes are no records.
   */
  next(): boolean {
    const frame = this.#frame
    if (this.#index >= frame.recordCount) return this.#finish()
    this.#index++
    const buffer = this.buffer
    const length = this.#varint()
    const start = this.#position
    const end = start + length
    if (length < 1 || end > this.#end) this.#fail(`a record claims ${length} bytes, ${this.#end - start} are left`)
    // One byte of attributes, all unused.
    this.#position = start + 1
    const timestampDelta = this.#varint()
    const offsetDelta = this.#varint()
    const keyLength = this.#varint()
    this.keyStart = keyLength < 0 ? -1 : this.#position
    if (keyLength > 0) this.#position += keyLength
    this.keyEnd = keyLength < 0 ? -1 : this.#position
    const valueLength = this.#varint()
    this.valueStart = valueLength < 0 ? -1 : this.#position
    if (valueLength > 0) this.#position += valueLength
    this.valueEnd = valueLength < 0 ? -1 : this.#position
    const headersStart = this.#position
    if (headersStart >= end) this.#fail('a key or value reaches beyond its record')
    // Without headers the record ends here; with them, they are looked at when asked for.
    if (buffer[headersStart] === 0 && headersStart + 1 !== end) this.#fail('bytes follow the last field of a record')
    this.#headersStart = headersStart
    this.#position = end
    this.offset = frame.baseOffset + offsetDelta
    this.timestamp = frame.logAppendTime ?? frame.baseTimestamp + timestampDelta
    return true
  }

  /** The current record's key, a view; null when it has none. */
  key(): Buffer | null {
    return this.keyStart < 0 ? null : this.buffer.subarray(this.keyStart, this.keyEnd)
  }

  /** The current record's value, a view; null for a tombstone. */
  value(): Buffer | null {
    return this.valueStart < 0 ? null : this.buffer.subarray(this.valueStart, this.valueEnd)
  }

  /**
   * The current record's headers; one shared empty array when it has none.
   * @throws DecodeError when they are not well formed.
   */
  headers(): readonly Header[] {
    const at = this.#headersStart
    if (this.buffer[at] === 0) return NO_HEADERS
    return this.#readHeaders(at)
  }

  #readHeaders(start: number): readonly Header[] {
    const recordEnd = this.#position
    this.#position = start
    const count = this.#varint()
    // A header takes two bytes at least.
    if (count < 0 || count * 2 > recordEnd - this.#position) this.#fail(`a record claims ${count} headers`)
    const headers: Header[] = []
    for (let i = 0; i < count; i++) {
      const key = this.#bytes(recordEnd)
      if (key === null) this.#fail('a header has no key')
      headers.push({ key: key.toString('utf8'), value: this.#bytes(recordEnd) })
    }
    if (this.#position !== recordEnd) this.#fail('bytes follow the last header of a record')
    return headers
  }

  #bytes(recordEnd: number): Buffer | null {
    const length = this.#varint()
    if (length < 0) return null
    const start = this.#position
    if (start + length > recordEnd) this.#fail('a header reaches beyond its record')
    this.#position = start + length
    return this.buffer.subarray(start, start + length)
  }

  /** A zigzag varint; the common one-byte case stays small enough to be inlined. */
  #varint(): number {
    const byte = this.buffer[this.#position++]
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    return this.#longVarint(byte)
  }

  #longVarint(first: number): number {
    const buffer = this.buffer
    let position = this.#position
    let byte = buffer[position++]
    let value = (first & 0x7f) | ((byte & 0x7f) << 7)
    if (byte >= 0x80) {
      byte = buffer[position++]
      value |= (byte & 0x7f) << 14
      if (byte >= 0x80) {
        byte = buffer[position++]
        value |= (byte & 0x7f) << 21
        if (byte >= 0x80) return this.#varlong(value)
      }
    }
    this.#position = position
    return (value >>> 1) ^ -(value & 1)
  }

  /** A zigzag varint of more than 28 bits, of which the lowest 28 are `low`; its first byte is before the position. */
  #varlong(low: number): number {
    let position = this.#position + 3
    let value = low
    let scale = 0x1000_0000
    for (;;) {
      const byte = this.buffer[position++]
      value += (byte & 0x7f) * scale
      // Beyond 2^53 the sum is no longer exact, so neither is the number.
      if (value > Number.MAX_SAFE_INTEGER) return this.#fail('a variable-length integer lies beyond 2^52')
      if (!(byte >= 0x80)) break
      scale *= 128
      if (scale > 2 ** 63) return this.#fail('a variable-length integer does not end')
    }
    this.#position = position
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  #finish(): false {
    if (this.#position !== this.#end) this.#fail(`${this.#end - this.#position} bytes follow the last record`)
    return false
  }

  #fail(reason: string): never {
    const path = this.#index === 0 ? 'records' : `records[${this.#index - 1}]`
    throw new DecodeError({ reason, path, position: this.#position })
  }
}
