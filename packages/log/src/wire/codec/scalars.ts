import type { ScalarKind } from '../schema.ts'
import { EncodeError } from './errors.ts'
import type { ByteReader } from './reader.ts'
import type { ByteWriter } from './writer.ts'

/** Both directions of one type in one version. */
export interface Codec {
  /** Least size of a value in bytes, by which a claimed count is checked. */
  readonly minBytes: number
  write(writer: ByteWriter, value: unknown): void
  read(reader: ByteReader): unknown
}

const INT53_HIGH = 0x20_0000

/** Codecs of the types whose size never varies. */
export const fixedCodecs: { readonly [Kind in Exclude<ScalarKind, 'string' | 'bytes' | 'records'>]: Codec } = {
  boolean: {
    minBytes: 1,
    write: (writer, value) => {
      if (typeof value !== 'boolean') throw mismatch('a boolean', value)
      const at = writer.reserve(1)
      writer.buffer[at] = value ? 1 : 0
    },
    read: (reader) => reader.buffer[reader.take(1)] !== 0
  },
  int8: number(
    1,
    (buffer, value, at) => buffer.writeInt8(value, at),
    (buffer, at) => buffer.readInt8(at)
  ),
  int16: number(
    2,
    (buffer, value, at) => buffer.writeInt16BE(value, at),
    (buffer, at) => buffer.readInt16BE(at)
  ),
  int32: number(
    4,
    (buffer, value, at) => buffer.writeInt32BE(value, at),
    (buffer, at) => buffer.readInt32BE(at)
  ),
  uint16: number(
    2,
    (buffer, value, at) => buffer.writeUInt16BE(value, at),
    (buffer, at) => buffer.readUInt16BE(at)
  ),
  uint32: number(
    4,
    (buffer, value, at) => buffer.writeUInt32BE(value, at),
    (buffer, at) => buffer.readUInt32BE(at)
  ),
  float64: number(
    8,
    (buffer, value, at) => buffer.writeDoubleBE(value, at),
    (buffer, at) => buffer.readDoubleBE(at)
  ),
  int64: {
    minBytes: 8,
    write: (writer, value) => {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw mismatch('an integer within 2^53', value)
      const at = writer.reserve(8)
      const high = Math.floor(value / 0x1_0000_0000)
      writer.buffer.writeInt32BE(high, at)
      writer.buffer.writeUInt32BE(value - high * 0x1_0000_0000, at + 4)
    },
    read: (reader) => {
      const at = reader.take(8)
      const high = reader.buffer.readInt32BE(at)
      if (high >= INT53_HIGH || high < -INT53_HIGH) reader.fail('a 64-bit integer lies beyond 2^53')
      return high * 0x1_0000_0000 + reader.buffer.readUInt32BE(at + 4)
    }
  },
  uuid: {
    minBytes: 16,
    write: (writer, value) => {
      const id = typeof value === 'string' ? Buffer.from(value, 'base64url') : undefined
      if (id === undefined || id.length !== 16) throw mismatch('a uuid of 22 base64url characters', value)
      const at = writer.reserve(16)
      id.copy(writer.buffer, at)
    },
    read: (reader) => {
      const at = reader.take(16)
      return reader.buffer.toString('base64url', at, at + 16)
    }
  }
}

/** What a value should have been. */
export function mismatch(expected: string, value: unknown): EncodeError {
  const got = value === null || value === undefined ? String(value) : `${typeof value} ${String(value).slice(0, 40)}`
  return new EncodeError(`expected ${expected}, got ${got}`)
}

type WriteNumber = (buffer: Buffer, value: number, at: number) => void
type ReadNumber = (buffer: Buffer, at: number) => number

function number(sizeBytes: number, write: WriteNumber, read: ReadNumber): Codec {
  return {
    minBytes: sizeBytes,
    write: (writer, value) => {
      if (typeof value !== 'number') throw mismatch('a number', value)
      const at = writer.reserve(sizeBytes)
      write(writer.buffer, value, at)
    },
    read: (reader) => read(reader.buffer, reader.take(sizeBytes))
  }
}
