import { type Header, type RecordOrigin, StreamRecord } from '../graph/record.ts'
import type { Change } from './processor.ts'

const NO_HEADERS: readonly Header[] = Object.freeze([])
const NO_ORIGIN: RecordOrigin = Object.freeze({ topic: '', partition: -1, offset: -1 })

/** A table's change that is emitted by a commit rather than by a record: it has neither headers nor an origin. */
export function emittedRecord(key: unknown, change: Change, timestamp: number): StreamRecord {
  return new StreamRecord(key, change, timestamp, NO_HEADERS, NO_ORIGIN)
}
