import type { StreamRecord } from '../graph/record.ts'
import { Change, type Forward } from './processor.ts'

/** A table's changes as a stream of its new values; a deletion is a null value. */
export function tableToStream(forward: Forward): Forward {
  return (record) => forward(record.withValue(newValueOf(record)))
}

function newValueOf(record: StreamRecord): unknown {
  return record.value instanceof Change ? (record.value.newValue ?? null) : record.value
}
