import { readLong, writeLong } from './long.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'

/** A key in one window: `[startMs, endMs)` for tumbling and hopping windows, in milliseconds since the epoch. */
export class Windowed<K = unknown> {
  readonly key: K
  readonly startMs: number
  readonly endMs: number

  constructor(key: K, startMs: number, endMs: number) {
    this.key = key
    this.startMs = startMs
    this.endMs = endMs
  }

  /** As Kafka prints it: `key@start/end`. */
  toString(): string {
    return `${this.key}@${this.startMs}/${this.endMs}`
  }
}

/** A serde of windowed keys; `inner` is the key's own. */
export interface WindowedSerde<K> extends Serde<Windowed<K>> {
  readonly inner: Serde<K>
}

/**
 * Keys of a time-windowed table as Kafka's sinks write them (TimeWindowedSerializer): the key's bytes, then the window's start as 8
 * bytes big-endian. The end is not written; a reader gives the windows' size.
 * @param sizeMs Size of the windows in milliseconds. Default: unknown, and `endMs` is `Number.MAX_SAFE_INTEGER`.
 */
export function windowed<K>(inner: Serde<K>, sizeMs?: number): WindowedSerde<K> {
  const name = `windowed(${inner.name})`
  const identify = inner.identity
  const serde: WindowedSerde<K> = Object.freeze({
    name,
    inner,
    encode(value: Windowed<K>): Buffer {
      const key = inner.encode(value.key)
      const bytes = Buffer.allocUnsafe(key.length + 8)
      key.copy(bytes)
      writeLong(bytes, value.startMs, key.length)
      return bytes
    },
    ...(inner.encodeInto && {
      encodeInto({ key, startMs }: Windowed<K>, target: Buffer, at: number): number {
        const keyEnd = inner.encodeInto?.(key, target, at) ?? -1
        if (keyEnd < 0 || keyEnd + 8 > target.length) return -1
        writeLong(target, startMs, keyEnd)
        return keyEnd + 8
      }
    }),
    decode(bytes: Buffer, start: number, end: number): Windowed<K> {
      const keyEnd = end - 8
      if (keyEnd < start) {
        const problem = `expected a key and 8 bytes of window start, got ${end - start} bytes`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      const startMs = readLong(bytes, keyEnd)
      const endMs = sizeMs === undefined ? Number.MAX_SAFE_INTEGER : startMs + sizeMs
      return new Windowed(inner.decode(bytes, start, keyEnd), startMs, endMs)
    },
    ...(identify === undefined
      ? {}
      : { identity: (value: Windowed<K>) => identity(value.startMs, identify(value.key)) })
  })
  windowedSerdes.add(serde)
  return serde
}

/**
 * Keys of a session table as Kafka's sinks write them (SessionWindowedSerializer): the key's bytes, then the session's end and start, 8 bytes
 * each, big-endian.
 */
export function sessionWindowed<K>(inner: Serde<K>): WindowedSerde<K> {
  const name = `sessionWindowed(${inner.name})`
  const identify = inner.identity
  const serde: WindowedSerde<K> = Object.freeze({
    name,
    inner,
    encode({ key, startMs, endMs }: Windowed<K>): Buffer {
      const keyBytes = inner.encode(key)
      const bytes = Buffer.allocUnsafe(keyBytes.length + 16)
      keyBytes.copy(bytes)
      writeLong(bytes, endMs, keyBytes.length)
      writeLong(bytes, startMs, keyBytes.length + 8)
      return bytes
    },
    ...(inner.encodeInto && {
      encodeInto({ key, startMs, endMs }: Windowed<K>, target: Buffer, at: number): number {
        const keyEnd = inner.encodeInto?.(key, target, at) ?? -1
        if (keyEnd < 0 || keyEnd + 16 > target.length) return -1
        writeLong(target, endMs, keyEnd)
        writeLong(target, startMs, keyEnd + 8)
        return keyEnd + 16
      }
    }),
    decode(bytes: Buffer, start: number, end: number): Windowed<K> {
      const keyEnd = end - 16
      if (keyEnd < start) {
        const problem = `expected a key and 16 bytes of session end and start, got ${end - start} bytes`
        throw new SerdeError({ serde: name, operation: 'decode', problem })
      }
      return new Windowed(inner.decode(bytes, start, keyEnd), readLong(bytes, keyEnd + 8), readLong(bytes, keyEnd))
    },
    ...(identify && {
      identity: ({ key, startMs, endMs }: Windowed<K>) => `${endMs}/${identity(startMs, identify(key))}`
    })
  })
  windowedSerdes.add(serde)
  return serde
}

/** Whether keys are {@link Windowed}: by Kafka's default, all windows of a key go to the key's partition. */
export function isWindowedSerde(serde: Serde<unknown>): serde is WindowedSerde<unknown> {
  return windowedSerdes.has(serde)
}

const windowedSerdes = new WeakSet<Serde<unknown>>()

function identity(startMs: number, key: string | number | bigint | boolean): string {
  // One serde may use identities of several types: '1' and 1 stay apart.
  return typeof key === 'string' ? `${startMs}/${key}` : `${startMs}#${typeof key}#${key}`
}
