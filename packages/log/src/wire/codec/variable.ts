import { within } from './errors.ts'
import { compactLength, int16Length, int32Length, type LengthCodec } from './lengths.ts'
import type { ByteReader } from './reader.ts'
import { type Codec, mismatch } from './scalars.ts'
import type { ByteWriter } from './writer.ts'

/** What the codec of a type of varying size depends on besides the type. */
export interface Form {
  readonly flexible: boolean
  readonly nullable: boolean
}

/** Codec of UTF-8 text. */
export function stringCodec(form: Form): Codec {
  return counted(form, form.flexible ? compactLength : int16Length, {
    write: (writer, value, length) => {
      if (typeof value !== 'string') throw mismatch('a string', value)
      const sizeBytes = Buffer.byteLength(value)
      length.write(writer, sizeBytes)
      const at = writer.reserve(sizeBytes)
      writer.buffer.write(value, at, sizeBytes, 'utf8')
    },
    read: (reader, sizeBytes) => {
      const at = reader.take(sizeBytes)
      return reader.buffer.toString('utf8', at, at + sizeBytes)
    }
  })
}

/** Codec of raw bytes. */
export function bytesCodec(form: Form): Codec {
  return counted(form, form.flexible ? compactLength : int32Length, {
    write: (writer, value, length) => {
      if (!Buffer.isBuffer(value)) throw mismatch('a Buffer', value)
      length.write(writer, value.length)
      writer.bytes(value)
    },
    read: (reader, sizeBytes) => reader.view(sizeBytes)
  })
}

/** Codec of record batches: several buffers out, one chunk in. */
export function recordsCodec(form: Form): Codec {
  return counted(form, form.flexible ? compactLength : int32Length, {
    write: (writer, value, length) => {
      if (!Array.isArray(value) || !value.every((chunk) => Buffer.isBuffer(chunk))) throw mismatch('Buffers', value)
      let sizeBytes = 0
      for (const chunk of value) sizeBytes += chunk.length
      length.write(writer, sizeBytes)
      for (const chunk of value) writer.bytes(chunk)
    },
    read: (reader, sizeBytes) => (sizeBytes === 0 ? [] : [reader.view(sizeBytes)])
  })
}

/** Codec of an array of what `element` encodes. */
export function arrayCodec(form: Form, element: Codec): Codec {
  return counted(form, form.flexible ? compactLength : int32Length, {
    write: (writer, value, length) => {
      if (!Array.isArray(value)) throw mismatch('an array', value)
      length.write(writer, value.length)
      let i = 0
      try {
        for (; i < value.length; i++) element.write(writer, value[i])
      } catch (error) {
        throw within(error, `[${i}]`)
      }
    },
    read: (reader, count) => {
      // A count is believed only as far as the bytes for its elements are there.
      if (count * Math.max(1, element.minBytes) > reader.remaining) {
        reader.fail(`${count} elements are claimed and ${reader.remaining} bytes are left`)
      }
      const elements: unknown[] = []
      try {
        while (elements.length < count) elements.push(element.read(reader))
      } catch (error) {
        throw within(error, `[${elements.length}]`)
      }
      return elements
    }
  })
}

interface Body {
  write(writer: ByteWriter, value: unknown, length: LengthCodec): void
  read(reader: ByteReader, length: number): unknown
}

function counted(form: Form, length: LengthCodec, body: Body): Codec {
  return {
    minBytes: length.minBytes,
    write: (writer, value) => {
      if (value === null && form.nullable) length.write(writer, -1)
      else body.write(writer, value, length)
    },
    read: (reader) => {
      const count = length.read(reader)
      if (count >= 0) return body.read(reader, count)
      if (count === -1 && form.nullable) return null
      return reader.fail(count === -1 ? 'null where this version allows none' : `a length is ${count}`)
    }
  }
}
