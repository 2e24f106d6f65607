import { ByteWriter } from '../byte-writer.ts'
import { type ColumnEncoder, encodeText, type ValueText } from './column-encoder.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** A part of a nested value: where it ends in the outer text, and its own text with quotes and escapes taken off. */
interface Part {
  readonly next: number
  readonly quoted: boolean
  readonly text: ValueText
}

/** `{1,NULL,"a b"}` of any number of dimensions as nested JSON arrays; lower bounds other than 1 (`[0:1]={…}`) are left out. */
export function arrayEncoder(element: ColumnEncoder, delimiter: number): ColumnEncoder {
  const isEnd = (byte: number) => byte === delimiter || byte === CLOSE_BRACE
  const writeElement = (out: ByteWriter, part: Part) => {
    if (!part.quoted && isNull(part.text)) out.ascii('null')
    else element(out, part.text)
  }
  return (out, text) => {
    const { source, start, end } = text
    let at = source[start] === 0x5b ? source.indexOf(0x3d, start) + 1 : start
    while (at < end) {
      const byte = source[at]
      if (byte === OPEN_BRACE || byte === CLOSE_BRACE || byte === delimiter) {
        out.byte(byte === OPEN_BRACE ? 0x5b : byte === CLOSE_BRACE ? 0x5d : 0x2c)
        at++
        continue
      }
      const part = readPart(text, at, isEnd)
      writeElement(out, part)
      at = part.next
    }
  }
}

/** `(1,"a b",)` as a JSON object of the type's fields; a field that is not there is null. */
export function compositeEncoder(
  fields: readonly { readonly name: string; readonly encode: ColumnEncoder }[]
): ColumnEncoder {
  const names = fields.map((field, index) => Buffer.from(`${index === 0 ? '' : ','}${JSON.stringify(field.name)}:`))
  const isEnd = (byte: number) => byte === 0x2c || byte === 0x29
  return (out, text) => {
    const { start, end } = text
    out.byte(OPEN_BRACE)
    let at = start + 1
    for (const [index, field] of fields.entries()) {
      out.copy(names[index])
      const part = at < end ? readPart(text, at, isEnd) : undefined
      if (!part || (!part.quoted && part.text.start === part.text.end)) out.ascii('null')
      else field.encode(out, part.text)
      at = part ? part.next + 1 : end
    }
    out.byte(CLOSE_BRACE)
  }
}

/** `"a"=>"1", "b"=>NULL` as a JSON object in a JSON string, as Debezium has it by default. */
export const encodeHstore: ColumnEncoder = (out, text) => {
  const { start, end } = text
  const inner = new ByteWriter()
  inner.byte(OPEN_BRACE)
  for (let at = start; at < end; ) {
    if (at > start) inner.byte(0x2c)
    const key = readPart(text, at, (byte) => byte === 0x3d)
    encodeText(inner, key.text)
    inner.byte(0x3a)
    const value = readPart(text, key.next + 2, (byte) => byte === 0x2c)
    if (value.quoted) encodeText(inner, value.text)
    else inner.ascii('null')
    at = value.next + 2
  }
  inner.byte(CLOSE_BRACE)
  out.jsonString(inner.take())
}

function isNull({ source, start, end }: ValueText): boolean {
  return source.toString('latin1', start, end).toUpperCase() === 'NULL'
}

/** Reads the part that begins at `start`, up to the byte that ends it or the end of the text. */
function readPart({ source, end }: ValueText, start: number, isEnd: (byte: number) => boolean): Part {
  let at = start
  let quoted = false
  let escaped = false
  let inside = false
  for (; at < end; at++) {
    const byte = source[at]
    if (byte === BACKSLASH) {
      escaped = true
      at++
    } else if (byte === QUOTE) {
      if (inside && at + 1 < end && source[at + 1] === QUOTE) {
        escaped = true
        at++
      } else {
        inside = !inside
        quoted = true
      }
    } else if (!inside && isEnd(byte)) break
  }
  if (!quoted && !escaped) return { next: at, quoted, text: { source, start, end: at } }
  if (quoted && !escaped && source[start] === QUOTE && source[at - 1] === QUOTE) {
    return { next: at, quoted, text: { source, start: start + 1, end: at - 1 } }
  }
  const plain = withoutEscapes(source, start, at)
  return { next: at, quoted, text: { source: plain, start: 0, end: plain.length } }
}

function withoutEscapes(source: Buffer, start: number, end: number): Buffer {
  const plain = Buffer.allocUnsafe(end - start)
  let length = 0
  let inside = false
  for (let at = start; at < end; at++) {
    const byte = source[at]
    if (byte === BACKSLASH) plain[length++] = source[++at]
    else if (byte === QUOTE && inside && at + 1 < end && source[at + 1] === QUOTE) plain[length++] = source[++at]
    else if (byte === QUOTE) inside = !inside
    else plain[length++] = byte
  }
  return plain.subarray(0, length)
}
