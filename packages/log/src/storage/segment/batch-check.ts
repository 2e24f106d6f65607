import {
  BATCH_HEADER_BYTES,
  BatchField,
  batchBaseOffset,
  batchLastOffset,
  batchRecordCount,
  batchSizeBytes
} from '../../wire/batch/header.ts'
import { crc32c } from '../../wire/crc32c.ts'

/** Where a batch may lie: offsets from `minOffset` on, all below `endOffset`. */
export interface OffsetBounds {
  readonly minOffset: number
  readonly endOffset: number
}

/** What the header at the start of `header` has wrong, by itself and by its place in the log; undefined when nothing. */
export function headerProblem(header: Buffer, bounds: OffsetBounds): string | undefined {
  if (header.length < BATCH_HEADER_BYTES) return 'the header is cut off'
  if (header[BatchField.magic] !== 2) return `magic is ${header[BatchField.magic]}, not 2`
  const sizeBytes = batchSizeBytes(header)
  if (sizeBytes < BATCH_HEADER_BYTES) return `a size of ${sizeBytes} bytes is too small for a batch`
  const baseOffset = batchBaseOffset(header)
  if (baseOffset < bounds.minOffset) return `base offset ${baseOffset} is below ${bounds.minOffset}`
  if (header.readInt32BE(BatchField.lastOffsetDelta) < 0) return 'the last offset delta is negative'
  if (batchLastOffset(header) >= bounds.endOffset) {
    return `last offset ${batchLastOffset(header)} is not below ${bounds.endOffset}`
  }
  if (batchRecordCount(header) < 0) return 'the number of records is negative'
  return undefined
}

/** Whether the CRC-32C of the whole batch `bytes` is the one in its header. */
export function crcMatches(bytes: Buffer): boolean {
  return crc32c(bytes, BatchField.attributes) === bytes.readUInt32BE(BatchField.crc)
}
