import { batchLastOffset, batchMaxTimestamp, batchSizeBytes } from '../wire/batch/header.ts'
import { RecordBatch } from '../wire/batch/record-batch.ts'
import type { PartitionLog } from './partition-log.ts'
import { readSegment } from './read-log.ts'
import { walkHeaders } from './rebuild-indexes.ts'
import type { Segment } from './segment/segment.ts'
import type { TimestampOffset } from './segment/time-index.ts'

const SCAN_BYTES = 256 * 1024

/** First record at or after a timestamp in `[log start, endOffset)`. */
export function findTimestamp(log: PartitionLog, timestampMs: number, endOffset: number): TimestampOffset | undefined {
  for (let index = Math.max(0, log.segmentIndexOf(log.logStartOffset)); index < log.segments.length; index++) {
    const segment = log.segments[index]
    if (segment.indexes.greatest.timestampMs < timestampMs) continue
    log.usable(index, 'times')
    log.usable(index, 'offsets')
    const minOffset = log.logStartOffset
    const from = Math.max(segment.indexes.times.lookup(timestampMs), minOffset)
    const found = scanForTimestamp(log, segment, { timestampMs, from, minOffset, endOffset })
    if (found !== undefined) return found
  }
  return undefined
}

/** First record with the greatest timestamp in `[log start, endOffset)`. */
export function findGreatestTimestamp(log: PartitionLog, endOffset: number): TimestampOffset | undefined {
  let greatestMs = -1
  for (const segment of log.segments) {
    if (segment.baseOffset < endOffset) greatestMs = Math.max(greatestMs, greatestBelow(segment, endOffset))
  }
  return greatestMs < 0 ? undefined : findTimestamp(log, greatestMs, endOffset)
}

interface TimestampSearch {
  readonly timestampMs: number
  /** An offset in the first batch to look at. */
  readonly from: number
  /** Records before it do not count. */
  readonly minOffset: number
  readonly endOffset: number
}

function scanForTimestamp(log: PartitionLog, segment: Segment, search: TimestampSearch): TimestampOffset | undefined {
  let offset = search.from
  while (offset < search.endOffset) {
    const bytes = readSegment(log, segment, { offset, maxBytes: SCAN_BYTES, endOffset: search.endOffset })
    if (bytes === undefined || bytes.length === 0) return undefined
    for (let at = 0; at < bytes.length; at += batchSizeBytes(bytes, at)) {
      offset = batchLastOffset(bytes, at) + 1
      if (batchMaxTimestamp(bytes, at) < search.timestampMs) continue
      const found = searchBatch(bytes.subarray(at, at + batchSizeBytes(bytes, at)), search)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function searchBatch(bytes: Buffer, search: TimestampSearch): TimestampOffset | undefined {
  const records = new RecordBatch(bytes).records()
  while (records.next()) {
    if (records.timestamp >= search.timestampMs && records.offset >= search.minOffset) {
      return { timestampMs: records.timestamp, offset: records.offset }
    }
  }
  return undefined
}

function greatestBelow(segment: Segment, endOffset: number): number {
  const { greatest } = segment.indexes
  if (greatest.offset < endOffset) return greatest.timestampMs
  let greatestMs = -1
  walkHeaders(segment, (batch) => {
    if (batchLastOffset(batch) < endOffset) greatestMs = Math.max(greatestMs, batchMaxTimestamp(batch))
  })
  return greatestMs
}
