import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A record that waits in an operator's buffer. */
export interface WaitingRecord {
  /** Which input of the operator it came from, from 0. */
  readonly side: number
  readonly key: unknown
  readonly value: unknown
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

const bitmapTag = 0
const listTag = 1
const none = -1

/**
 * What a buffer ordered by time holds in its store: lists of records of one timestamp, and bitmaps (32 bits) that say where lists are. After
 * a byte that tells them apart: the bitmap (4 bytes); or per record the side (1 byte), key, value, and the number of headers (4 bytes) with
 * each one's key and value; every part as its length (4 bytes, -1 for null) and bytes.
 */
export function waitingListSerde(key: Serde<unknown>, values: readonly Serde<unknown>[]): Serde<unknown> {
  const name = `waiting(${key.name}, ${values.map((value) => value.name).join(', ')})`
  const fail = (operation: 'encode' | 'decode', problem: string) => new SerdeError({ serde: name, operation, problem })
  const serdeOf = (side: number): Serde<unknown> => {
    const serde = values[side]
    if (serde === undefined) throw fail('decode', `there is no input ${side}`)
    return serde
  }
  return Object.freeze({
    name,
    ...besideLogOf(key, ...values),
    encode(value: unknown): Buffer {
      if (typeof value === 'number') {
        const bytes = Buffer.from([bitmapTag, 0, 0, 0, 0])
        bytes.writeUInt32BE(value >>> 0, 1)
        return bytes
      }
      const parts: Buffer[] = [Buffer.from([listTag])]
      for (const record of toWaitingRecords(value)) {
        parts.push(Buffer.from([record.side]))
        pushPart(parts, key.encode(record.key))
        pushPart(parts, serdeOf(record.side).encode(record.value))
        parts.push(int32(record.headers.length))
        for (const header of record.headers) {
          pushPart(parts, Buffer.from(header.key))
          pushPart(parts, header.value)
        }
      }
      return Buffer.concat(parts)
    },
    decode(bytes: Buffer, start: number, end: number): number | WaitingRecord[] {
      if (end - start < 1) throw fail('decode', 'there are no bytes')
      if (bytes[start] === bitmapTag) return bytes.readUInt32BE(start + 1)
      const reader = new PartReader({ bytes, at: start + 1, end }, () =>
        fail('decode', 'the bytes end within a record')
      )
      const records: WaitingRecord[] = []
      while (reader.at < end) {
        const side = reader.byte()
        const recordKey = reader.part((from, to) => key.decode(bytes, from, to))
        const value = reader.part((from, to) => serdeOf(side).decode(bytes, from, to))
        const headers = Array.from({ length: reader.int32() }, () => ({
          key: reader.part((from, to) => bytes.toString('utf8', from, to)) ?? '',
          value: reader.part((from, to) => Buffer.from(bytes.subarray(from, to)))
        }))
        records.push({ side, key: recordKey, value, headers })
      }
      return records
    }
  })
}

/** What a store with this serde returned for a list. */
export function toWaitingRecords(value: unknown): readonly WaitingRecord[] {
  return Array.isArray(value) ? value : []
}

class PartReader {
  at: number
  readonly #bytes: Buffer
  readonly #end: number
  readonly #torn: () => SerdeError

  constructor(span: { readonly bytes: Buffer; readonly at: number; readonly end: number }, torn: () => SerdeError) {
    this.at = span.at
    this.#bytes = span.bytes
    this.#end = span.end
    this.#torn = torn
  }

  byte(): number {
    if (this.at >= this.#end) throw this.#torn()
    return this.#bytes[this.at++]
  }

  int32(): number {
    if (this.at + 4 > this.#end) throw this.#torn()
    this.at += 4
    return this.#bytes.readInt32BE(this.at - 4)
  }

  part<T>(read: (from: number, to: number) => T): T | null {
    const length = this.int32()
    if (length === none) return null
    const from = this.at
    if (length < 0 || from + length > this.#end) throw this.#torn()
    this.at += length
    return read(from, this.at)
  }
}

function pushPart(parts: Buffer[], bytes: Buffer | null): void {
  parts.push(int32(bytes === null ? none : bytes.length))
  if (bytes !== null) parts.push(bytes)
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value, 0)
  return bytes
}
