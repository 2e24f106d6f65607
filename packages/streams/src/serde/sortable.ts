import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/**
 * A second form of a value for keys made of parts: its bytes compare, byte by byte and unsigned, as the values do, and it says itself where it ends.
 */
export interface SortableCodec<T> {
  write(value: T): Buffer
  /** The value that begins at `at`; `end` bounds the key. @throws SerdeError when the bytes end within it. */
  read(bytes: Buffer, at: number, end: number): SortableRead<T>
}

/** A value read, and where the next one begins. */
export interface SortableRead<T> {
  readonly value: T
  readonly next: number
}

/** A serde whose values may be part of a {@link tuple} or {@link struct}. */
export interface SortableSerde<T> extends Serde<T> {
  readonly sortable: SortableCodec<T>
}

/** Zero bytes are followed by 0xff, and two of them end it: a prefix sorts before what goes on. */
const escapeByte = 0xff

/** Bytes of any length, by their unsigned value, a prefix first. */
export const sortableBytes: SortableCodec<Buffer> = Object.freeze({
  write(value: Buffer) {
    let zeros = 0
    for (const byte of value) if (byte === 0) zeros++
    const bytes = Buffer.alloc(value.length + zeros + 2)
    let at = 0
    for (const byte of value) {
      bytes[at++] = byte
      if (byte === 0) bytes[at++] = escapeByte
    }
    return bytes
  },
  read(bytes: Buffer, at: number, end: number) {
    const value = Buffer.allocUnsafe(end - at)
    let length = 0
    for (let i = at; i + 1 < end; i++) {
      if (bytes[i] === 0) {
        i++
        if (bytes[i] === 0) return { value: value.subarray(0, length), next: i + 1 }
        if (bytes[i] !== escapeByte) break
        value[length++] = 0
      } else value[length++] = bytes[i]
    }
    throw cutOff('a part of variable length')
  }
})

/** A codec of `length` bytes. */
export function fixedSortable<T>(
  length: number,
  write: (bytes: Buffer, value: T) => void,
  read: (bytes: Buffer, at: number) => T
): SortableCodec<T> {
  return Object.freeze({
    write(value: T) {
      const bytes = Buffer.allocUnsafe(length)
      write(bytes, value)
      return bytes
    },
    read(bytes: Buffer, at: number, end: number) {
      if (at + length > end) throw cutOff(`a part of ${length} bytes`)
      return { value: read(bytes, at), next: at + length }
    }
  })
}

/** The codec of another type that is the same but for its form. */
export function mappedSortable<T, U>(
  codec: SortableCodec<U>,
  { to, from }: { readonly to: (value: T) => U; readonly from: (value: U) => T }
): SortableCodec<T> {
  return Object.freeze({
    write: (value: T) => codec.write(to(value)),
    read(bytes: Buffer, at: number, end: number) {
      const { value, next } = codec.read(bytes, at, end)
      return { value: from(value), next }
    }
  })
}

/** @returns an error for bytes that end too early. */
export function cutOff(what: string): SerdeError {
  return new SerdeError({ serde: 'sortable key', operation: 'decode', problem: `${what} is cut off` })
}
