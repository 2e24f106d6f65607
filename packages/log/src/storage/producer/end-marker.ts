import { controlRecord, type EndTransactionMarker, endTransactionMarker } from '../../wire/batch/control-batch.ts'
import { BatchAttribute, batchAttributes } from '../../wire/batch/header.ts'
import { RecordBatch } from '../../wire/batch/record-batch.ts'
import { DecodeError } from '../../wire/codec/errors.ts'

/**
 * The transaction's end in a control batch; undefined when it is another kind of control batch, was emptied by compaction, or is
 * damaged (which whoever reads it will find out).
 */
export function decodeEndMarker(batch: Buffer): EndTransactionMarker | undefined {
  if ((batchAttributes(batch) & BatchAttribute.transactional) === 0) return undefined
  try {
    const record = controlRecord(new RecordBatch(batch))
    return record === undefined ? undefined : endTransactionMarker(record)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}
