import { ByteReader } from './codec/reader.ts'
import { structCodec } from './codec/struct.ts'
import { ByteWriter } from './codec/writer.ts'
import type { Infer, Struct } from './schema.ts'

export { withDefaults } from './codec/defaults.ts'
export { DecodeError, EncodeError } from './codec/errors.ts'

/**
 * Encodes a value as one version of its struct. A field that the version lacks is left out.
 * @throws EncodeError when a value is not of its declared type or range.
 */
export function encodeStruct<S extends Struct>(struct: S, version: number, flexible: boolean, value: Infer<S>): Buffer {
  const writer = new ByteWriter()
  structCodec(struct, { version, flexible }).write(writer, value)
  const chunks = writer.finish()
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)
}

/**
 * Decodes a buffer that holds exactly one version of a struct. Bytes, and records, of the result are views of the buffer.
 * @throws DecodeError when the bytes are not that, or more follow.
 */
export function decodeStruct<S extends Struct>(
  struct: S,
  version: number,
  flexible: boolean,
  buffer: Buffer
): Infer<S> {
  const reader = new ByteReader(buffer)
  const value = readStruct(struct, { version, flexible }, reader)
  if (reader.remaining > 0) reader.fail(`${reader.remaining} bytes follow the last field`)
  return value
}

/** Decodes one struct at the reader's place and moves past it; what follows is left alone. */
export function readStruct<S extends Struct>(
  struct: S,
  form: { readonly version: number; readonly flexible: boolean },
  reader: ByteReader
): Infer<S> {
  return structCodec(struct, form).read(reader) as Infer<S>
}
