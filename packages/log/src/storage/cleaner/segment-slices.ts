import { CorruptionError } from '../../errors.ts'
import { batchSizeBytes } from '../../wire/batch/header.ts'
import { RecordBatch } from '../../wire/batch/record-batch.ts'
import { DecodeError } from '../../wire/codec/errors.ts'
import { DecompressionLimitError } from '../../wire/compression/compression.ts'
import type { PartitionLog } from '../partition-log.ts'
import { readSegment } from '../read-log.ts'
import { offsetAfter, type Segment } from '../segment/segment.ts'
import { CompactionInterrupted, UncleanableError } from './errors.ts'

/** What is read, and worked on, in one turn of the event loop; a batch that is larger comes whole. */
const SLICE_BYTES = 256 * 1024

/** Waits until the next slice may begin. @throws CompactionInterrupted when it may not. */
export type Rest = (sliceBytes: number) => Promise<void>

/** A source of batches. */
export interface SliceSource {
  readonly log: PartitionLog
  readonly rest: Rest
}

/**
 * Visits the batches of a segment, slice by slice, from the one with `fromOffset` on until `visit` returns false. Every batch is held against
 * its checksum.
 * @throws UncleanableError when one is damaged or `visit` cannot decode it; CompactionInterrupted when the segment was deleted meanwhile.
 */
export async function visitSegment(
  source: SliceSource,
  range: { readonly segment: Segment; readonly fromOffset: number },
  visit: (batch: RecordBatch) => boolean
): Promise<boolean> {
  const { segment } = range
  let offset = Math.max(range.fromOffset, segment.baseOffset)
  while (offset < segment.nextOffset) {
    // A closed segment would open its file again, and make it anew if it is gone.
    if (segment.deleted) throw new CompactionInterrupted()
    const bytes = readable(source.log, offset, () =>
      readSegment(source.log, segment, { offset, maxBytes: SLICE_BYTES, endOffset: Number.POSITIVE_INFINITY })
    )
    if (bytes === undefined || bytes.length === 0) return true
    for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
      const batch = new RecordBatch(bytes.subarray(at, at + batchSizeBytes(bytes, at)))
      if (!readable(source.log, batch.baseOffset, () => visit(batch))) return false
    }
    offset = offsetAfter(bytes)
    await source.rest(bytes.length)
  }
  return true
}

/** What `read` gives; that it cannot read what is there makes the partition uncleanable. */
function readable<T>(log: PartitionLog, offset: number, read: () => T): T {
  try {
    return read()
  } catch (error) {
    const unreadable =
      error instanceof DecodeError || error instanceof DecompressionLimitError || error instanceof CorruptionError
    if (!unreadable) throw error
    const { topic, partition } = log.place
    throw new UncleanableError({ topic, partition, offset }, error)
  }
}
