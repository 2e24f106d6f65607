import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** What a table's node forwards as the record's value. */
export class Change<V = unknown> {
  /** Undefined when the key was deleted. */
  readonly newValue: V | undefined
  readonly oldValue: V | undefined
  /** False for a record that came to a versioned table after a later one of its key: only those who look into the past care. */
  readonly isLatest: boolean

  constructor(newValue: V | undefined, oldValue: V | undefined, isLatest = true) {
    this.newValue = newValue
    this.oldValue = oldValue
    this.isLatest = isLatest
  }
}

const headerBytes = 4
const absent = -1

/**
 * Changes on their way through an internal topic (Millrace's own format, which no one else reads): the new value's length (4 bytes, big-endian, -1 when there is none),
 * the new value, and the old value, which is absent when nothing follows but a closing byte 0 and present before a closing byte 1.
 */
export function changeSerde(inner: Serde<unknown>): Serde<unknown> {
  const name = `change(${inner.name})`
  const torn = () => new SerdeError({ serde: name, operation: 'decode', problem: 'the bytes end within a change' })
  return Object.freeze({
    name,
    ...besideLogOf(inner),
    encode(value: unknown): Buffer {
      if (!(value instanceof Change)) {
        throw new SerdeError({ serde: name, operation: 'encode', problem: `a ${typeof value} is no change of a table` })
      }
      const newBytes = value.newValue === undefined ? undefined : inner.encode(value.newValue)
      const oldBytes = value.oldValue === undefined ? undefined : inner.encode(value.oldValue)
      const newLength = newBytes?.length ?? 0
      const bytes = Buffer.allocUnsafe(headerBytes + newLength + (oldBytes?.length ?? 0) + 1)
      bytes.writeInt32BE(newBytes === undefined ? absent : newLength, 0)
      newBytes?.copy(bytes, headerBytes)
      oldBytes?.copy(bytes, headerBytes + newLength)
      bytes[bytes.length - 1] = oldBytes === undefined ? 0 : 1
      return bytes
    },
    decode(bytes: Buffer, start: number, end: number): Change {
      if (end - start < headerBytes + 1) throw torn()
      const newLength = bytes.readInt32BE(start)
      const newStart = start + headerBytes
      const oldStart = newStart + Math.max(0, newLength)
      if (oldStart > end - 1) throw torn()
      return new Change(
        newLength === absent ? undefined : inner.decode(bytes, newStart, oldStart),
        bytes[end - 1] === 0 ? undefined : inner.decode(bytes, oldStart, end - 1)
      )
    }
  })
}
