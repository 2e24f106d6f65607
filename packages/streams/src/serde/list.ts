import { besideLogOf } from './beside-log.ts'
import type { Serde } from './serde.ts'
import { SerdeError, withinPart } from './serde-error.ts'

/** Lists: each element as its length (4 bytes, big-endian) and its bytes. Elements are not null. */
export function list<T>(element: Serde<T>): Serde<readonly T[]> {
  const name = `list(${element.name})`
  const encoded = (value: T, index: number): Buffer => {
    try {
      return element.encode(value)
    } catch (cause) {
      throw withinPart(name, `[${index}]`, cause)
    }
  }
  return Object.freeze({
    name,
    ...besideLogOf(element),
    encode(values: readonly T[]): Buffer {
      const parts: Buffer[] = []
      for (const value of values) {
        const bytes = encoded(value, parts.length >> 1)
        const length = Buffer.allocUnsafe(4)
        length.writeUInt32BE(bytes.length)
        parts.push(length, bytes)
      }
      return Buffer.concat(parts)
    },
    decode(bytes: Buffer, start: number, end: number): readonly T[] {
      const values: T[] = []
      for (let at = start; at < end; ) {
        const from = at + 4
        const to = from <= end ? from + bytes.readUInt32BE(at) : Number.POSITIVE_INFINITY
        if (to > end) {
          throw new SerdeError({ serde: name, operation: 'decode', problem: `element ${values.length} is cut off` })
        }
        values.push(element.decode(bytes, from, to))
        at = to
      }
      return values
    }
  })
}
