import { PoisonousRecordError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import { JsonKeys } from './json-keys.ts'
import { decodeObject, isRow } from './json-object.ts'
import type { ColumnValue, Row, RowChange, RowDecoder } from './row-change.ts'

/** What Debezium writes for a column whose value was stored out of line, did not change, and is not in the WAL. */
export const UNAVAILABLE_VALUE = '__debezium_unavailable_value'

/**
 * Records of change data capture in Debezium's envelope as JSON, with or without `schema`: creates, reads and updates give the row after the
 * change, deletes remove it, truncates empty the table; the tombstone after a delete, and messages, say nothing new. A column that holds
 * Debezium's placeholder for an unavailable value is left out, so that the target keeps what it has.
 */
export function debeziumRows(): RowDecoder {
  const keys = new JsonKeys()
  const keyOf = (record: SinkRecord) => payload(keys.decode(record))
  return { text: { binary: 'base64', json: 'document' }, decode: (record) => decode(record, keyOf) }
}

/** The columns of a record's key. */
type KeyOf = (record: SinkRecord) => Row

function decode(record: SinkRecord, keyOf: KeyOf): RowChange | undefined {
  if (record.value === null) return undefined
  const envelope = payload(decodeObject(record, 'value', record.value))
  switch (envelope.op) {
    case 'c':
    case 'r':
    case 'u':
      return upsert(record, envelope.after, keyOf)
    case 'd':
      return deletion(record, envelope.before, keyOf)
    case 't':
      return { kind: 'truncate' }
    case 'm':
      return undefined
    default:
      throw new PoisonousRecordError(record, 'its value is no change event: `op` is none of c, r, u, d, t and m')
  }
}

function upsert(record: SinkRecord, after: ColumnValue | undefined, keyOf: KeyOf): RowChange {
  if (!isRow(after)) throw new PoisonousRecordError(record, '`after` of its change event is no row')
  return { kind: 'upsert', key: keyOf(record), row: withoutUnavailable(after) }
}

/** A table without a key has its whole old row as key, if its replica identity is FULL. */
function deletion(record: SinkRecord, before: ColumnValue | undefined, keyOf: KeyOf): RowChange {
  if (record.key !== null) return { kind: 'delete', key: keyOf(record) }
  if (isRow(before)) return { kind: 'delete', key: before, wholeRow: true }
  throw new PoisonousRecordError(record, 'its change event deletes a row that has neither a key nor an old image')
}

/** The message itself, of the form with a schema beside it. */
function payload(message: Row): Row {
  return isRow(message.payload) && 'schema' in message ? message.payload : message
}

function withoutUnavailable(row: Row): Row {
  for (const name of Object.keys(row)) {
    if (row[name] !== UNAVAILABLE_VALUE) continue
    return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== UNAVAILABLE_VALUE))
  }
  return row
}
