import type { ByteReader } from './reader.ts'
import type { ByteWriter } from './writer.ts'

/** How the length of a string, of bytes or of an array is written; -1 stands for null. */
export interface LengthCodec {
  readonly minBytes: number
  write(writer: ByteWriter, length: number): void
  read(reader: ByteReader): number
}

/** Flexible versions: an unsigned varint of the length plus one, 0 for null. */
export const compactLength: LengthCodec = {
  minBytes: 1,
  write: (writer, length) => writer.uvarint(length + 1),
  read: (reader) => reader.uvarint() - 1
}

/** Strings before flexible versions. */
export const int16Length: LengthCodec = {
  minBytes: 2,
  write: (writer, length) => {
    const at = writer.reserve(2)
    writer.buffer.writeInt16BE(length, at)
  },
  read: (reader) => reader.buffer.readInt16BE(reader.take(2))
}

/** Bytes and arrays before flexible versions. */
export const int32Length: LengthCodec = {
  minBytes: 4,
  write: (writer, length) => {
    const at = writer.reserve(4)
    writer.buffer.writeInt32BE(length, at)
  },
  read: (reader) => reader.buffer.readInt32BE(reader.take(4))
}
