import { BATCH_HEADER_BYTES, BatchField, stampBatch } from '../wire/batch/header.ts'
import { placeholderBatch } from './cleaner/rewrite-batch.ts'
import { AppendFailedError } from './errors.ts'
import type { PartitionLog } from './partition-log.ts'

const MAGIC = 2

/**
 * Where damage took the last batches, the log still ends where it did, so that no offset is given twice. A batch without records then stands for
 * the lost offsets: without it a reader would wait before the gap for records that do not come until someone appends.
 */
export function closeGapAtEnd(log: PartitionLog): void {
  const { active, endOffset } = log
  if (active === undefined || active.nextOffset >= endOffset || active.nextOffset < log.logStartOffset) return
  const header = Buffer.alloc(BATCH_HEADER_BYTES)
  header.writeInt8(MAGIC, BatchField.magic)
  header.writeInt32BE(endOffset - active.nextOffset - 1, BatchField.lastOffsetDelta)
  const batch = placeholderBatch(header)
  stampBatch(batch, active.nextOffset, log.epochs.latestEpoch)
  try {
    log.write(batch)
  } catch (error) {
    // On a full disk the gap waits for the next append.
    if (!(error instanceof AppendFailedError)) throw error
  }
}
