import {
  BATCH_HEADER_BYTES,
  BATCH_OVERHEAD_BYTES,
  BatchAttribute,
  BatchField,
  batchAttributes,
  batchMaxTimestamp,
  writeInt53
} from '../../wire/batch/header.ts'
import type { RecordBatch } from '../../wire/batch/record-batch.ts'
import type { RecordCursor } from '../../wire/batch/record-cursor.ts'
import { writeVarint, writeVarlong } from '../../wire/batch/varint.ts'
import { compress } from '../../wire/compression/compression.ts'
import { crc32c } from '../../wire/crc32c.ts'

/** How much longer a record may get by another timestamp delta: the delta itself, and the record's length. */
const GROWTH_BYTES = 10 + 5
const NO_TIMESTAMP = -1

/** Which records of a batch stay, and from when its tombstones may go. */
export interface RewritePlan {
  /** Asked once for each record, in order. */
  readonly keeps: (record: RecordCursor) => boolean
  /** Given to a batch that has none yet, when `horizonFor` says so; milliseconds since the epoch. */
  readonly deleteHorizonMs: number
  readonly horizonFor: 'no batch' | 'every batch' | 'batches with tombstones'
}

/** A batch with fewer records. */
export interface RewrittenBatch {
  /** The same bytes when nothing changed; undefined when no record stayed. */
  readonly batch: Buffer | undefined
  readonly recordsKept: number
  readonly tombstonesKept: number
}

/**
 * Takes records out of a batch. All else stays as it was: offsets, timestamps, sequence numbers, leader epoch, compression; records are
 * copied, not encoded again, unless the batch gets a delete horizon, which timestamps then count from.
 * @throws DecodeError when the records cannot be decoded; DecompressionLimitError.
 */
export function rewriteBatch(batch: RecordBatch, plan: RewritePlan): RewrittenBatch {
  const kept = new KeptRecords()
  const cursor = batch.records()
  let start = cursor.position
  while (cursor.next()) {
    if (plan.keeps(cursor)) kept.add(cursor, start)
    start = cursor.position
  }
  const counts = { recordsKept: kept.count, tombstonesKept: kept.tombstones }
  if (kept.count === 0) return { batch: undefined, ...counts }
  const getsHorizon =
    batch.deleteHorizonMs === undefined &&
    (plan.horizonFor === 'every batch' || (plan.horizonFor === 'batches with tombstones' && kept.tombstones > 0))
  if (kept.count === batch.recordCount && !getsHorizon) return { batch: batch.buffer, ...counts }
  const records = getsHorizon
    ? kept.countedFrom(cursor.buffer, batch.buffer, plan.deleteHorizonMs)
    : kept.copied(cursor.buffer)
  const packed = compress(batch.codec, records)
  const rewritten = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES + packed.length)
  rewritten.set(batch.buffer.subarray(0, BATCH_HEADER_BYTES))
  rewritten.set(packed, BATCH_HEADER_BYTES)
  if (getsHorizon) {
    rewritten.writeInt16BE(batchAttributes(rewritten) | BatchAttribute.deleteHorizon, BatchField.attributes)
    writeInt53(rewritten, plan.deleteHorizonMs, BatchField.baseTimestamp)
  }
  writeInt53(rewritten, kept.maxTimestamp, BatchField.maxTimestamp)
  finishHeader(rewritten, kept.count)
  return { batch: rewritten, ...counts }
}

/** The header of a batch without its records, so that its offsets, sequence numbers and epoch are not forgotten. */
export function emptyBatch(header: Buffer): Buffer {
  const batch = Buffer.allocUnsafeSlow(BATCH_HEADER_BYTES)
  batch.set(header.subarray(0, BATCH_HEADER_BYTES))
  const dropped = BatchAttribute.codecMask | BatchAttribute.deleteHorizon
  batch.writeInt16BE(batchAttributes(header) & ~dropped, BatchField.attributes)
  writeInt53(batch, NO_TIMESTAMP, BatchField.baseTimestamp)
  writeInt53(batch, batchMaxTimestamp(header), BatchField.maxTimestamp)
  finishHeader(batch, 0)
  return batch
}

/**
 * A header that stands for the offsets of a batch and for nothing else: no producer, so that it belongs to no transaction whose marker would have
 * to stay.
 */
export function placeholderBatch(header: Buffer): Buffer {
  const batch = emptyBatch(header)
  batch.writeInt16BE(0, BatchField.attributes)
  writeInt53(batch, NO_TIMESTAMP, BatchField.maxTimestamp)
  writeInt53(batch, -1, BatchField.producerId)
  batch.writeInt16BE(-1, BatchField.producerEpoch)
  batch.writeInt32BE(-1, BatchField.baseSequence)
  finishHeader(batch, 0)
  return batch
}

function finishHeader(batch: Buffer, recordCount: number): void {
  batch.writeInt32BE(batch.length - BATCH_OVERHEAD_BYTES, BatchField.length)
  batch.writeInt32BE(recordCount, BatchField.recordCount)
  batch.writeUInt32BE(crc32c(batch, BatchField.attributes), BatchField.crc)
}

/** The records of one batch that stay. */
class KeptRecords {
  count = 0
  tombstones = 0
  maxTimestamp = NO_TIMESTAMP
  #bytes = 0
  /** Start and end of each, neighbours not yet joined, and its timestamp. */
  readonly #places: number[] = []

  add(record: RecordCursor, start: number): void {
    this.count += 1
    if (record.valueStart < 0) this.tombstones += 1
    if (record.timestamp > this.maxTimestamp) this.maxTimestamp = record.timestamp
    this.#bytes += record.position - start
    this.#places.push(start, record.position, record.timestamp)
  }

  copied(source: Buffer): Buffer {
    const target = Buffer.allocUnsafeSlow(this.#bytes)
    let at = 0
    let from = this.#places[0]
    let to = from
    for (let index = 0; index < this.#places.length; index += 3) {
      const start = this.#places[index]
      if (start !== to) {
        at += source.copy(target, at, from, to)
        from = start
      }
      to = this.#places[index + 1]
    }
    source.copy(target, at, from, to)
    return target
  }

  /** The records with timestamps that count from `baseTimestamp`. Those of log append time have no meaning, and keep none. */
  countedFrom(source: Buffer, header: Buffer, baseTimestamp: number): Buffer {
    const target = Buffer.allocUnsafeSlow(this.#bytes + this.count * GROWTH_BYTES)
    const hasOwnTime = (batchAttributes(header) & BatchAttribute.logAppendTime) === 0
    let at = 0
    for (let index = 0; index < this.#places.length; index += 3) {
      const delta = hasOwnTime ? this.#places[index + 2] - baseTimestamp : 0
      at = writeRecord(source.subarray(this.#places[index], this.#places[index + 1]), delta, { target, at })
    }
    return target.subarray(0, at)
  }
}

/** Copies one record with another timestamp delta; returns the position after it. */
function writeRecord(record: Buffer, timestampDelta: number, to: { readonly target: Buffer; readonly at: number }) {
  const attributesAt = afterVarint(record, 0)
  const restAt = afterVarint(record, attributesAt + 1)
  const restBytes = record.length - restAt
  const { target } = to
  // The delta is written where it would stand after a length of five bytes, to learn its size.
  const deltaBytes = writeVarlong(target, timestampDelta, to.at + 6) - (to.at + 6)
  const length = 1 + deltaBytes + restBytes
  let at = writeVarint(target, length, to.at)
  target[at++] = record[attributesAt]
  at = writeVarlong(target, timestampDelta, at)
  return at + record.copy(target, at, restAt)
}

function afterVarint(bytes: Buffer, start: number): number {
  let at = start
  while (bytes[at] >= 0x80) at++
  return at + 1
}
