import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'
import { cutOff, type SortableCodec, type SortableSerde } from './sortable.ts'

/**
 * A value or undefined: a byte 0 for undefined, which sorts first, else a byte 1 and the value. For parts of keys and elements of lists; a whole
 * key or value that may be missing is null on the log, see {@link nullable}.
 */
export function optional<T>(inner: SortableSerde<T>): SortableSerde<T | undefined>
export function optional<T>(inner: Serde<T>): Serde<T | undefined>
export function optional<T>(inner: Serde<T> | SortableSerde<T>): Serde<T | undefined> {
  const name = `optional(${inner.name})`
  const serde: Serde<T | undefined> = {
    name,
    ...besideLogOf(inner),
    encode: (value) => (value === undefined ? Buffer.of(0) : Buffer.concat([Buffer.of(1), inner.encode(value)])),
    decode(bytes, start, end) {
      return isPresent(bytes, start, end, name) ? inner.decode(bytes, start + 1, end) : undefined
    }
  }
  return Object.freeze(
    'sortable' in inner ? { ...serde, sortable: Object.freeze(optionalSortable(inner.sortable, name)) } : serde
  )
}

function optionalSortable<T>(inner: SortableCodec<T>, name: string): SortableCodec<T | undefined> {
  return {
    write: (value) => (value === undefined ? Buffer.of(0) : Buffer.concat([Buffer.of(1), inner.write(value)])),
    read(bytes, at, end) {
      if (at >= end) throw cutOff(name)
      if (bytes[at] === 0) return { value: undefined, next: at + 1 }
      return inner.read(bytes, at + 1, end)
    }
  }
}

function isPresent(...[bytes, start, end, serde]: [Buffer, number, number, string]): boolean {
  if (start < end && bytes[start] === 1) return true
  if (start + 1 === end && bytes[start] === 0) return false
  throw new SerdeError({ serde, operation: 'decode', problem: 'it begins with neither 0 nor 1' })
}
