import { wrongType } from './serde-error.ts'
import { mappedSortable, type SortableSerde, sortableBytes } from './sortable.ts'

const utf8: SortableSerde<string> = Object.freeze({
  name: 'string',
  encode: toBytes,
  encodeInto: writeText,
  decode: (bytes: Buffer, start: number, end: number) => bytes.toString('utf8', start, end),
  // A lone surrogate is written as U+FFFD, so as a key it must also be looked up as that.
  identity: (value: string) => value.toWellFormed(),
  // The order of UTF-8 is that of code points.
  sortable: mappedSortable(sortableBytes, {
    to: toBytes,
    from: (bytes) => bytes.toString('utf8')
  })
})

/**
 * Text as UTF-8, the bytes of Kafka's StringSerializer. Bytes that are not UTF-8 are read as U+FFFD, and a lone surrogate is written as
 * one; use {@link bytes} where every byte counts.
 */
export function string(): SortableSerde<string> {
  return utf8
}

function toBytes(value: string): Buffer {
  if (typeof value !== 'string') throw wrongType('string', value, 'text')
  return Buffer.from(value, 'utf8')
}

/** Up to this length a loop is faster than a call into native code. */
const loopLength = 32

function writeText(value: string, target: Buffer, at: number): number {
  // What slips past the types is refused by `encode`.
  if (typeof value !== 'string') return -1
  const { length } = value
  // A UTF-16 unit takes at most three bytes of UTF-8.
  if (at + length * 3 > target.length) return -1
  if (length > loopLength) return at + target.write(value, at, 'utf8')
  for (let i = 0; i < length; i++) {
    const unit = value.charCodeAt(i)
    if (unit > 0x7f) return at + target.write(value, at, 'utf8')
    target[at + i] = unit
  }
  return at + length
}
