import {
  BATCH_HEADER_BYTES,
  BatchField,
  batchBaseOffset,
  batchLastOffset,
  batchLeaderEpoch,
  batchRecordCount,
  batchSizeBytes
} from '../../wire/batch/header.ts'
import { crc32c } from '../../wire/crc32c.ts'

/**
 * What is known of the batch that should stand at some place of a log. Base offset and leader epoch are not covered by the
 * batch's checksum, so its neighbours have to vouch for them.
 */
export interface ExpectedBatch {
  /** Its base offset is this one, or a later one where the log may have gaps. */
  readonly minOffset: number
  /** Whether there are no gaps, so that the base offset is exactly `minOffset`. */
  readonly exact: boolean
  /** All its offsets are below. */
  readonly endOffset: number
  /** Leader epoch of an offset, where it is known. */
  readonly epochAt: (offset: number) => number | undefined
}

/** Nothing is known of the epochs. */
export function unknownEpoch(): undefined {
  return undefined
}

/** What the header at the start of `header` has wrong, by itself and by its place in the log; undefined when nothing. */
export function headerProblem(header: Buffer, expected: ExpectedBatch): string | undefined {
  if (header.length < BATCH_HEADER_BYTES) return 'the header is cut off'
  if (header[BatchField.magic] !== 2) return `magic is ${header[BatchField.magic]}, not 2`
  const sizeBytes = batchSizeBytes(header)
  if (sizeBytes < BATCH_HEADER_BYTES) return `a size of ${sizeBytes} bytes is too small for a batch`
  if (header.readInt32BE(BatchField.lastOffsetDelta) < 0) return 'the last offset delta is negative'
  if (batchRecordCount(header) < 0) return 'the number of records is negative'
  return offsetProblem(header, expected)
}

/** Whether the CRC-32C of the whole batch `bytes` is the one in its header. */
export function crcMatches(bytes: Buffer): boolean {
  return crc32c(bytes, BatchField.attributes) === bytes.readUInt32BE(BatchField.crc)
}

function offsetProblem(header: Buffer, expected: ExpectedBatch): string | undefined {
  const baseOffset = batchBaseOffset(header)
  const { minOffset, endOffset } = expected
  if (baseOffset < minOffset || (expected.exact && baseOffset !== minOffset)) {
    return `base offset ${baseOffset} stands where ${minOffset} is expected`
  }
  const lastOffset = batchLastOffset(header)
  if (lastOffset >= endOffset) return `last offset ${lastOffset} is not below ${endOffset}`
  const epoch = expected.epochAt(baseOffset)
  if (epoch !== undefined && epoch !== batchLeaderEpoch(header)) {
    return `leader epoch ${batchLeaderEpoch(header)} stands where ${epoch} is expected`
  }
  return undefined
}
