import type { Type } from 'avsc'
import { avsc } from './avsc-library.ts'

/** Whole numbers up to here, of either sign, are doubles that survive avsc's arithmetic (it doubles them). */
const GREATEST = 2 ** 52

/** What avsc's types do with bytes; its declarations leave these methods out. */
interface Primitive {
  _read(tap: unknown): number
  _write(tap: unknown, value: number): void
  _check(value: unknown, flags: unknown, hook: ((value: unknown, type: unknown) => void) | undefined): boolean
}

/**
 * avsc's long, refusing what it would get wrong: it reads and writes -6992846708015104 as 6992846708015104, since the zigzag of a number below
 * -2^52 is no safe integer. Numbers are therefore exact from -2^52 to 2^52, and a RangeError beyond.
 */
export function numberLong(): Type {
  const native = avsc().Type.forSchema('long')
  const own: Type & Primitive = Object.create(native)
  const plain: Primitive = Object.getPrototypeOf(own)
  const exact = (value: number): number => {
    if (value >= -GREATEST && value <= GREATEST) return value
    throw new RangeError(`the long ${value} is beyond 2^52, where numbers are not exact: read longs as bigint`)
  }
  own._read = (tap) => exact(plain._read(tap))
  own._write = (tap, value) => {
    if (typeof value === 'number') exact(value)
    plain._write(tap, value)
  }
  own._check = (value, flags, hook) => {
    const isExact = typeof value === 'number' && Math.abs(value) <= GREATEST
    if (!isExact) hook?.(value, own)
    return isExact && plain._check(value, flags, hook)
  }
  return own
}

/** Longs as bigint, all 64 bits of them. */
export function bigintLong(): Type {
  return avsc().types.LongType.__with({
    fromBuffer: (bytes: Buffer) => bytes.readBigInt64LE(),
    toBuffer(value: bigint) {
      const bytes = Buffer.allocUnsafe(8)
      bytes.writeBigInt64LE(value)
      return bytes
    },
    fromJSON: (value: number | string) => BigInt(value),
    toJSON: (value: bigint) => Number(value),
    isValid: (value: unknown) => typeof value === 'bigint' && value === BigInt.asIntN(64, value),
    compare: (a: bigint, b: bigint) => (a === b ? 0 : a < b ? -1 : 1)
  })
}
