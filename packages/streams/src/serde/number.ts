import type { Serde } from './serde.ts'
import { expectLength } from './serde-error.ts'

const double: Serde<number> = Object.freeze({
  name: 'number',
  encode(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(value)
    return bytes
  },
  decode(bytes: Buffer, start: number, end: number): number {
    expectLength('number', end - start, 8)
    return bytes.readDoubleBE(start)
  },
  // -0 has bytes of its own, but is equal to 0 as the key of a map.
  identity: (value: number) => (Object.is(value, -0) ? '-0' : value)
})

/** Any JavaScript number as 8 bytes, big-endian IEEE 754: Kafka's DoubleSerializer. For whole numbers see {@link long}. */
export function number(): Serde<number> {
  return double
}
