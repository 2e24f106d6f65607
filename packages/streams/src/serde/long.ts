import { expectLength, SerdeError } from './serde-error.ts'
import { fixedSortable, type SortableSerde } from './sortable.ts'

const twoTo32 = 0x1_0000_0000

const int64: SortableSerde<number> = Object.freeze({
  name: 'long',
  encode(value: number): Buffer {
    const bytes = Buffer.allocUnsafe(8)
    writeLong(bytes, value, 0)
    return bytes
  },
  encodeInto(value: number, target: Buffer, at: number): number {
    if (at + 8 > target.length) return -1
    writeLong(target, value, at)
    return at + 8
  },
  decode(bytes: Buffer, start: number, end: number): number {
    expectLength('long', end - start, 8)
    return readLong(bytes, start)
  },
  identity: (value: number) => value,
  sortable: sortableLong()
})

/**
 * Whole numbers from -(2^53 - 1) to 2^53 - 1 as 8 bytes, big-endian two's complement: Kafka's LongSerializer. What `count()` writes.
 * Anything else, on the way in or out, is a `SerdeError`, never a rounded number.
 */
export function long(): SortableSerde<number> {
  return int64
}

/**
 * Writes a whole number of at most 53 bits as Kafka's Long.
 * @throws SerdeError when it is not one.
 */
export function writeLong(bytes: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new SerdeError({ serde: 'long', operation: 'encode', problem: `${value} is not a whole number below 2^53` })
  }
  const high = Math.floor(value / twoTo32)
  const low = value - high * twoTo32
  if (at + 8 > bytes.length) throw new RangeError(`8 bytes at ${at} do not fit into ${bytes.length}`)
  // Stores of bytes are inlined; Node's methods check their arguments twice.
  bytes[at] = high >>> 24
  bytes[at + 1] = high >>> 16
  bytes[at + 2] = high >>> 8
  bytes[at + 3] = high
  bytes[at + 4] = low >>> 24
  bytes[at + 5] = low >>> 16
  bytes[at + 6] = low >>> 8
  bytes[at + 7] = low
}

/**
 * Reads Kafka's Long.
 * @throws SerdeError when it does not fit in 53 bits.
 */
export function readLong(bytes: Buffer, at: number): number {
  const value = bytes.readInt32BE(at) * twoTo32 + bytes.readUInt32BE(at + 4)
  if (!Number.isSafeInteger(value)) {
    const problem = `${bytes.readBigInt64BE(at)} does not fit in a number: read it with a serde of your own as bigint`
    throw new SerdeError({ serde: 'long', operation: 'decode', problem })
  }
  return value
}

/** Two's complement with the sign bit turned over. */
function sortableLong() {
  return fixedSortable<number>(
    8,
    (bytes, value) => {
      writeLong(bytes, value, 0)
      bytes[0] ^= 0x80
    },
    (bytes, at) => {
      const turned = Buffer.from(bytes.subarray(at, at + 8))
      turned[0] ^= 0x80
      return readLong(turned, 0)
    }
  )
}
