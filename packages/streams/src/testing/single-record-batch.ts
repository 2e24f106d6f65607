import type { Header } from '../graph/record.ts'
import type { BatchOfRecords, FetchedRecords } from '../task/partition-queue.ts'

/** One record as it would stand on a log with one partition. */
export interface LoggedRecord {
  readonly topic: string
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** What a consumer would fetch when the record is the last of its partition. */
export function fetchedRecord(record: LoggedRecord): FetchedRecords {
  const nextOffset = record.offset + 1
  return {
    topic: record.topic,
    partition: 0,
    batches: [singleRecordBatch(record)],
    position: record.offset,
    nextOffset,
    lastStableOffset: nextOffset
  }
}

function singleRecordBatch({ key, value, offset, timestamp, headers }: LoggedRecord): BatchOfRecords {
  const keyBytes = key ?? Buffer.alloc(0)
  const buffer = Buffer.concat([keyBytes, value ?? Buffer.alloc(0)])
  return {
    recordCount: 1,
    records: () => {
      let shown = false
      return {
        next: () => {
          const isFirst = !shown
          shown = true
          return isFirst
        },
        offset,
        timestamp,
        buffer,
        keyStart: key === null ? -1 : 0,
        keyEnd: key === null ? -1 : keyBytes.length,
        valueStart: value === null ? -1 : keyBytes.length,
        valueEnd: value === null ? -1 : buffer.length,
        headers: () => headers
      }
    }
  }
}
