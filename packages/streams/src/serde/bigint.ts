import { expectLength, SerdeError, wrongType } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const least = -(2n ** 63n)
const greatest = 2n ** 63n - 1n

const int64: SortableSerde<bigint> = Object.freeze({
  name: 'bigint',
  encode(value: bigint): Buffer {
    const bytes = Buffer.allocUnsafe(8)
    bytes.writeBigInt64BE(checked(value))
    return bytes
  },
  decode(bytes: Buffer, start: number, end: number): bigint {
    expectLength('bigint', end - start, 8)
    return bytes.readBigInt64BE(start)
  },
  identity: (value: bigint) => value,
  // Two's complement with the sign bit turned over.
  sortable: fixedSortable<bigint>(
    8,
    (bytes, value) => bytes.writeBigUInt64BE(checked(value) - least),
    (bytes, at) => bytes.readBigUInt64BE(at) + least
  )
})

/** Whole numbers of 64 bits as Kafka's Long. Larger ones are a `SerdeError`. Where 53 bits are enough, {@link long} is faster. */
export function bigint(): SortableSerde<bigint> {
  return int64
}

function checked(value: bigint): bigint {
  if (typeof value !== 'bigint') throw wrongType('bigint', value, 'bigint')
  if (value >= least && value <= greatest) return value
  throw new SerdeError({ serde: 'bigint', operation: 'encode', problem: `${value} does not fit in 64 bits` })
}
