import { readLong, writeLong } from '../serde/long.ts'
import type { Serde } from '../serde/serde.ts'
import { SerdeError } from '../serde/serde-error.ts'

/**
 * What tells a session apart from others that end at the same time: its start and its key. In a store the end takes the place of a window's
 * start, so that expiry and final results are ranges.
 */
export class SessionKey {
  readonly startMs: number
  readonly key: unknown

  constructor(startMs: number, key: unknown) {
    this.startMs = startMs
    this.key = key
  }
}

/** Start (8 bytes), then the key's bytes. */
export function sessionKey(inner: Serde<unknown>): Serde<SessionKey> {
  const name = `session(${inner.name})`
  const identify = inner.identity
  return Object.freeze({
    name,
    encode({ startMs, key }: SessionKey): Buffer {
      const keyBytes = inner.encode(key)
      const bytes = Buffer.allocUnsafe(8 + keyBytes.length)
      writeLong(bytes, startMs, 0)
      keyBytes.copy(bytes, 8)
      return bytes
    },
    ...(inner.encodeInto && {
      encodeInto({ startMs, key }: SessionKey, target: Buffer, at: number): number {
        if (at + 8 > target.length) return -1
        writeLong(target, startMs, at)
        return inner.encodeInto?.(key, target, at + 8) ?? -1
      }
    }),
    decode(bytes: Buffer, start: number, end: number): SessionKey {
      if (end - start < 8) {
        const problem = `expected 8 bytes of session start and a key, got ${end - start} bytes`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      return new SessionKey(readLong(bytes, start), inner.decode(bytes, start + 8, end))
    },
    ...(identify && {
      identity: ({ startMs, key }: SessionKey) => {
        const id = identify(key)
        return typeof id === 'string' ? `${startMs}/${id}` : `${startMs}#${typeof id}#${id}`
      }
    })
  })
}
