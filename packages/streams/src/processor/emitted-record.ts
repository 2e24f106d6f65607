import { NO_HEADERS } from '@millrace/log'
import { type RecordOrigin, StreamRecord } from '../graph/record.ts'

const NO_ORIGIN: RecordOrigin = Object.freeze({ topic: '', partition: -1, offset: -1 })

/** What a commit emits rather than a record, a table's change or a combined value: it has neither headers nor an origin. */
export function emittedRecord(key: unknown, value: unknown, timestamp: number): StreamRecord {
  return new StreamRecord(key, value, timestamp, NO_HEADERS, NO_ORIGIN)
}
