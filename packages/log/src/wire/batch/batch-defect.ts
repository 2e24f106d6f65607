import { compressionOf } from '../compression/compression.ts'
import { crc32c } from '../crc32c.ts'
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchBaseOffset,
  batchRecordCount,
  batchSizeBytes
} from './header.ts'

/** What is wrong with a batch. */
export interface BatchDefect {
  /**
   * `cut-off`: the buffer ends before the batch does. `size`, `magic`, `checksum`, `codec`: the field is impossible or does not
   * match. `count`: more records than offsets, or data that no record accounts for. `offsets`: they are negative.
   */
  readonly kind: 'cut-off' | 'size' | 'magic' | 'checksum' | 'codec' | 'count' | 'offsets'
  readonly message: string
  /** Byte position in the buffer. */
  readonly position: number
}

/**
 * Looks for the first defect in the header and checksum of the batch at `start`; undefined when it is sound. Throws nothing and
 * allocates nothing for a sound batch, so that a scan of a log can go through it.
 */
export function findBatchDefect(buffer: Buffer, start = 0): BatchDefect | undefined {
  const left = buffer.length - start
  if (left < BATCH_HEADER_BYTES) {
    return defect('cut-off', `a batch needs ${BATCH_HEADER_BYTES} bytes at least, ${left} are left`, start)
  }
  const sizeBytes = batchSizeBytes(buffer, start)
  if (sizeBytes < BATCH_HEADER_BYTES) {
    return defect('size', `a batch claims ${sizeBytes} bytes`, start + BatchField.length)
  }
  const magic = buffer.readInt8(start + BatchField.magic)
  if (magic !== 2) return defect('magic', `magic is ${magic}, only 2 is supported`, start + BatchField.magic)
  if (sizeBytes > left) return defect('cut-off', `a batch claims ${sizeBytes} bytes, ${left} are left`, start)
  const stored = buffer.readUInt32BE(start + BatchField.crc)
  const computed = crc32c(buffer, start + BatchField.attributes, start + sizeBytes)
  if (stored !== computed) {
    return defect('checksum', `the checksum is ${hex(stored)}, the bytes have ${hex(computed)}`, start + BatchField.crc)
  }
  return findFieldDefect(buffer, start, sizeBytes)
}

/** Checks the fields that a checksum covers: wrong ones were written so. */
function findFieldDefect(buffer: Buffer, start: number, sizeBytes: number): BatchDefect | undefined {
  const attributes = batchAttributes(buffer, start)
  if (compressionOf(attributes) === undefined) {
    return defect(
      'codec',
      `codec ${attributes & BatchAttribute.codecMask} does not exist`,
      start + BatchField.attributes
    )
  }
  const lastOffsetDelta = buffer.readInt32BE(start + BatchField.lastOffsetDelta)
  if (lastOffsetDelta < 0 || batchBaseOffset(buffer, start) < 0) {
    return defect('offsets', `offsets are negative`, start + BatchField.lastOffsetDelta)
  }
  const recordCount = batchRecordCount(buffer, start)
  const hasBytes = sizeBytes > BATCH_HEADER_BYTES
  if (recordCount < 0 || recordCount > lastOffsetDelta + 1 || recordCount > 0 !== hasBytes) {
    const message = `${recordCount} records, ${lastOffsetDelta + 1} offsets and ${sizeBytes} bytes do not fit`
    return defect('count', message, start + BatchField.recordCount)
  }
  return undefined
}

function defect(kind: BatchDefect['kind'], message: string, position: number): BatchDefect {
  return { kind, message, position }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`
}
