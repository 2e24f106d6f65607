import { PoisonousRecordError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import { JsonKeys } from './json-keys.ts'
import { decodeObject } from './json-object.ts'
import type { Row, RowChange, RowDecoder } from './row-change.ts'

/** How keys are written. */
export interface JsonRowsOptions {
  /** The key is plain UTF-8 text, the value of this column. Absent: the key is a JSON object with a field for each key column. */
  readonly key?: string
}

/**
 * Records whose value is a JSON object with a field for each column; a null value deletes the row of the key. Without a key, rows are only
 * inserted.
 */
export function jsonRows(options: JsonRowsOptions = {}): RowDecoder {
  const keys = options.key === undefined ? new JsonKeys() : undefined
  return {
    text: { binary: 'base64', json: 'string' },
    decode(record): RowChange {
      const key = keys?.decode(record) ?? textKey(record, options)
      if (record.value !== null) {
        return { kind: 'upsert', key, row: { ...key, ...decodeObject(record, 'value', record.value) } }
      }
      if (record.key !== null) return { kind: 'delete', key }
      throw new PoisonousRecordError(record, 'it has neither key nor value')
    }
  }
}

function textKey({ key }: SinkRecord, { key: column }: JsonRowsOptions): Row {
  return key === null || column === undefined ? {} : { [column]: key.toString('utf8') }
}
