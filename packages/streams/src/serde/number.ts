import { expectLength, wrongType } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const double: SortableSerde<number> = Object.freeze({
  name: 'number',
  encode(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeDoubleBE(checked(value))
    return bytes
  },
  encodeInto: (value: number, target: Buffer, at: number) =>
    at + 8 > target.length ? -1 : target.writeDoubleBE(checked(value), at),
  decode(bytes: Buffer, start: number, end: number): number {
    expectLength('number', end - start, 8)
    return bytes.readDoubleBE(start)
  },
  // -0 has bytes of its own, but is equal to 0 as the key of a map.
  identity: (value: number) => (Object.is(value, -0) ? '-0' : value),
  sortable: fixedSortable(8, writeSortable, readSortable)
})

/** Any JavaScript number as 8 bytes, big-endian IEEE 754: Kafka's DoubleSerializer. For whole numbers see {@link long}. */
export function number(): SortableSerde<number> {
  return double
}

function checked(value: number): number {
  if (typeof value !== 'number') throw wrongType('number', value, 'number')
  return value
}

/** IEEE 754 with the sign bit turned over, and for negative numbers all others too. NaN comes last. */
function writeSortable(bytes: Buffer, value: number): void {
  bytes.writeDoubleBE(checked(value))
  turnOver(bytes)
}

function readSortable(bytes: Buffer, at: number): number {
  const turned = Buffer.from(bytes.subarray(at, at + 8))
  if (turned[0] & 0x80) turned[0] ^= 0x80
  else for (let i = 0; i < 8; i++) turned[i] ^= 0xff
  return turned.readDoubleBE()
}

function turnOver(bytes: Buffer): void {
  if (bytes[0] & 0x80) for (let i = 0; i < 8; i++) bytes[i] ^= 0xff
  else bytes[0] ^= 0x80
}
