import type { ByteWriter } from '../byte-writer.ts'

/** A value as the text that PostgreSQL writes for it: `source` from `start` to `end`. A view, valid until the encoder it is given to returns. */
export interface ValueText {
  readonly source: Buffer
  readonly start: number
  readonly end: number
}

/** Writes one value as JSON. Nulls never come here. */
export type ColumnEncoder = (out: ByteWriter, text: ValueText) => void

/** As a JSON string, unchanged. */
export const encodeText: ColumnEncoder = (out, { source, start, end }) => out.jsonString(source, start, end)

/** Integers of any width: PostgreSQL's text is a JSON number. */
export const encodeInteger: ColumnEncoder = (out, { source, start, end }) => out.copy(source, start, end)

/** Floats: a JSON number, which NaN and the infinities are not; those as strings, as Kafka Connect's JSON converter has them. */
export const encodeFloat: ColumnEncoder = (out, text) => {
  const last = text.source[text.end - 1]
  if (last >= 0x30 && last <= 0x39) encodeInteger(out, text)
  else encodeText(out, text)
}

/** `t` and `f`. */
export const encodeBoolean: ColumnEncoder = (out, { source, start }) =>
  out.ascii(source[start] === 0x74 ? 'true' : 'false')

/** `\x…` in hexadecimal, as base64: Kafka Connect's JSON form of bytes. */
export const encodeBytes: ColumnEncoder = (out, { source, start, end }) =>
  writeBase64(out, Buffer.from(source.toString('latin1', start + 2, end), 'hex'))

/** One bit is a boolean; more of them are little-endian bytes in base64 (Debezium's `io.debezium.data.Bits`). */
export function bitEncoder(single: boolean): ColumnEncoder {
  if (single) return (out, { source, start }) => out.ascii(source[start] === 0x31 ? 'true' : 'false')
  return (out, { source, start, end }) => {
    const bytes = Buffer.alloc((end - start + 7) >> 3)
    for (let at = end - 1, bit = 0; at >= start; at--, bit++) {
      if (source[at] === 0x31) bytes[bit >> 3] |= 1 << (bit & 7)
    }
    writeBase64(out, bytes)
  }
}

/** `-$1,234.56` under the pinned locale, as the number in a string, like `numeric`. */
export const encodeMoney: ColumnEncoder = (out, { source, start, end }) => {
  out.byte(0x22)
  for (let at = start; at < end; at++) {
    const byte = source[at]
    if (byte === 0x2d || byte === 0x2e || (byte >= 0x30 && byte <= 0x39)) out.byte(byte)
  }
  out.byte(0x22)
}

/** `(x,y)` as Debezium's geometric point, with its well-known binary. */
export const encodePoint: ColumnEncoder = (out, { source, start, end }) => {
  const [x, y] = source.toString('latin1', start + 1, end - 1).split(',')
  const wkb = Buffer.alloc(21)
  wkb[0] = 1
  wkb.writeUInt32LE(1, 1)
  wkb.writeDoubleLE(Number(x), 5)
  wkb.writeDoubleLE(Number(y), 13)
  out.ascii('{"x":')
  out.ascii(jsonFloat(x))
  out.ascii(',"y":')
  out.ascii(jsonFloat(y))
  out.ascii(',"wkb":')
  writeBase64(out, wkb)
  out.ascii(',"srid":null}')
}

function jsonFloat(text: string): string {
  return /\d$/.test(text) ? text : `"${text}"`
}

function writeBase64(out: ByteWriter, bytes: Buffer): void {
  out.byte(0x22)
  out.ascii(bytes.toString('base64'))
  out.byte(0x22)
}
