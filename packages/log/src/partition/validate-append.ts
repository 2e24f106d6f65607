import type { LogConfig } from '../storage/log-config.ts'
import {
  BATCH_HEADER_BYTES,
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchBaseSequence,
  batchMaxTimestamp,
  batchProducerEpoch,
  batchProducerId,
  batchRecordCount,
  batchSizeBytes,
  readInt53,
  writeInt53
} from '../wire/batch/header.ts'
import { RecordBatch } from '../wire/batch/record-batch.ts'
import { DecodeError } from '../wire/codec/errors.ts'
import { crc32c } from '../wire/crc32c.ts'
import { type ErrorName, protocolError } from '../wire/errors.ts'
import type { AppendOrigin } from './partition.ts'

/** Where a batch is to go, and when. */
export interface BatchDestination {
  readonly topic: string
  readonly partition: number
  readonly config: LogConfig
  readonly nowMs: number
}

const CODEC_MAX = 4

/**
 * Checks a batch as Kafka's broker does before it appends it. A client's must satisfy all of it; of a coordinator's only size and
 * checksum are checked.
 * @throws ProtocolError MESSAGE_TOO_LARGE, CORRUPT_MESSAGE, INVALID_RECORD, INVALID_TIMESTAMP, UNSUPPORTED_FOR_MESSAGE_FORMAT
 */
export function validateAppend(batch: Buffer, origin: AppendOrigin, to: BatchDestination): void {
  const refuse = refuser(to)
  if (batch.length < BATCH_HEADER_BYTES) throw refuse('CORRUPT_MESSAGE', `${batch.length} bytes are no record batch`)
  if (batch[BatchField.magic] !== 2) {
    throw refuse('UNSUPPORTED_FOR_MESSAGE_FORMAT', `only magic 2 is taken, not ${batch[BatchField.magic]}`)
  }
  if (batchSizeBytes(batch) < BATCH_HEADER_BYTES || batchSizeBytes(batch) > batch.length) {
    throw refuse('CORRUPT_MESSAGE', `a batch of ${batchSizeBytes(batch)} bytes does not fit the ${batch.length} sent`)
  }
  if (batchSizeBytes(batch) !== batch.length) throw refuse('INVALID_RECORD', 'exactly one batch is taken at a time')
  if (batch.length > to.config.maxMessageBytes) {
    throw refuse(
      'MESSAGE_TOO_LARGE',
      `${batch.length} bytes are more than max.message.bytes ${to.config.maxMessageBytes}`
    )
  }
  if (crc32c(batch, BatchField.attributes) !== batch.readUInt32BE(BatchField.crc)) {
    throw refuse('CORRUPT_MESSAGE', 'the checksum of the batch does not match')
  }
  if (origin === 'client') validateClientBatch(batch, to)
}

/** With `LogAppendTime`, stamps the batch with the broker's time (which takes a new checksum). Returns the time, or -1. */
export function stampAppendTime(batch: Buffer, to: BatchDestination): number {
  if (to.config.timestampType !== 'LogAppendTime') return -1
  batch.writeInt16BE(batchAttributes(batch) | BatchAttribute.logAppendTime, BatchField.attributes)
  writeInt53(batch, to.nowMs, BatchField.maxTimestamp)
  batch.writeUInt32BE(crc32c(batch, BatchField.attributes), BatchField.crc)
  return to.nowMs
}

function validateClientBatch(batch: Buffer, to: BatchDestination): void {
  const refuse = refuser(to)
  const attributes = batchAttributes(batch)
  if ((attributes & BatchAttribute.control) !== 0)
    throw refuse('INVALID_RECORD', 'clients may not write control records')
  if ((attributes & BatchAttribute.logAppendTime) !== 0) {
    throw refuse('INVALID_TIMESTAMP', 'clients may not set the log append time')
  }
  if ((attributes & BatchAttribute.codecMask) > CODEC_MAX) throw refuse('INVALID_RECORD', 'the compression is unknown')
  const count = batchRecordCount(batch)
  if (count <= 0) throw refuse('INVALID_RECORD', `a batch of ${count} records`)
  if (batch.readInt32BE(BatchField.lastOffsetDelta) + 1 !== count) {
    throw refuse(
      'INVALID_RECORD',
      `${count} records do not end at offset delta ${batch.readInt32BE(BatchField.lastOffsetDelta)}`
    )
  }
  validateProducer(batch, to)
  if (to.config.timestampType === 'CreateTime') validateTimestamps(batch, to)
  if (to.config.compacts) validateKeys(batch, to)
}

/** Compaction keeps the last record of each key, so a record without one could never be placed. */
function validateKeys(batch: Buffer, to: BatchDestination): void {
  const refuse = refuser(to)
  try {
    const records = new RecordBatch(batch).records()
    while (records.next()) {
      if (records.keyStart < 0) throw refuse('INVALID_RECORD', 'a record without a key in a compacted topic')
    }
  } catch (error) {
    if (error instanceof DecodeError) throw refuse('INVALID_RECORD', error.message)
    throw error
  }
}

function validateProducer(batch: Buffer, to: BatchDestination): void {
  const refuse = refuser(to)
  const transactional = (batchAttributes(batch) & BatchAttribute.transactional) !== 0
  if (batchProducerId(batch) < 0) {
    if (transactional) throw refuse('INVALID_RECORD', 'a transactional batch without a producer id')
    return
  }
  if (batchProducerEpoch(batch) < 0) throw refuse('INVALID_RECORD', 'a producer id without an epoch')
  if (batchBaseSequence(batch) < 0) throw refuse('INVALID_RECORD', 'a producer id without a sequence number')
}

function validateTimestamps(batch: Buffer, to: BatchDestination): void {
  const firstMs = readInt53(batch, BatchField.baseTimestamp)
  const greatestMs = batchMaxTimestamp(batch)
  const { timestampAfterMaxMs, timestampBeforeMaxMs } = to.config
  if (greatestMs - to.nowMs > timestampAfterMaxMs || to.nowMs - firstMs > timestampBeforeMaxMs) {
    throw refuser(to)(
      'INVALID_TIMESTAMP',
      `timestamps ${firstMs} to ${greatestMs} lie outside what message.timestamp.before.max.ms and .after.max.ms allow now (${to.nowMs})`
    )
  }
}

function refuser(to: BatchDestination) {
  return (name: ErrorName, message: string) =>
    protocolError(name, { topic: to.topic, partition: to.partition, message })
}
