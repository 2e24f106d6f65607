import { besideLogOf } from './beside-log.ts'
import { readLong, writeLong } from './long.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** An update that is held back. */
export interface Buffered {
  /** The time it is held back from, milliseconds. */
  readonly placeMs: number
  /** What those below know the key by; undefined: nothing. */
  readonly oldValue: unknown
  /** What the last update that was held back said that the key was before it; absent where that does not count. */
  readonly latestOldValue?: unknown
  /** Undefined: the key was deleted. */
  readonly newValue: unknown
}

/** Serde of held updates; `inner` is the value's. */
export interface BufferedSerde extends Serde<Buffered> {
  readonly inner: Serde<unknown>
}

const headerBytes = 13
const hasOld = 1
const hasNew = 2
const hasLatestOld = 4
const lengthBytes = 4

/** Place (8 bytes), which values there are (1), length of the old one (4), old value, where there is one the latest old value with its length (4), new value. */
export function buffered(inner: Serde<unknown>): BufferedSerde {
  const name = `buffered(${inner.name})`
  return Object.freeze({
    name,
    ...besideLogOf(inner),
    inner,
    encode({ placeMs, oldValue, latestOldValue, newValue }: Buffered): Buffer {
      const old = oldValue === undefined ? undefined : inner.encode(oldValue)
      const next = newValue === undefined ? undefined : inner.encode(newValue)
      const latest = latestOldValue === undefined ? undefined : inner.encode(latestOldValue)
      const oldLength = old?.length ?? 0
      const latestLength = latest === undefined ? 0 : lengthBytes + latest.length
      const bytes = Buffer.alloc(headerBytes + oldLength + latestLength + (next?.length ?? 0))
      writeLong(bytes, placeMs, 0)
      bytes[8] =
        (old === undefined ? 0 : hasOld) | (next === undefined ? 0 : hasNew) | (latest === undefined ? 0 : hasLatestOld)
      bytes.writeUInt32BE(oldLength, 9)
      old?.copy(bytes, headerBytes)
      if (latest !== undefined) {
        bytes.writeUInt32BE(latest.length, headerBytes + oldLength)
        latest.copy(bytes, headerBytes + oldLength + lengthBytes)
      }
      next?.copy(bytes, headerBytes + oldLength + latestLength)
      return bytes
    },
    decode(bytes: Buffer, start: number, end: number): Buffered {
      if (end - start < headerBytes) {
        const problem = `expected at least ${headerBytes} bytes, got ${end - start}`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      const flags = bytes[start + 8]
      const oldStart = start + headerBytes
      const oldEnd = oldStart + bytes.readUInt32BE(start + 9)
      const latestStart = oldEnd + lengthBytes
      const latestEnd = flags & hasLatestOld ? latestStart + bytes.readUInt32BE(oldEnd) : oldEnd
      return {
        placeMs: readLong(bytes, start),
        oldValue: flags & hasOld ? inner.decode(bytes, oldStart, oldEnd) : undefined,
        newValue: flags & hasNew ? inner.decode(bytes, latestEnd, end) : undefined,
        ...(flags & hasLatestOld && { latestOldValue: inner.decode(bytes, latestStart, latestEnd) })
      }
    }
  })
}
