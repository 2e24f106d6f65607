import type { Serde } from '@millrace/streams'
import { PoisonousRecordError } from '../errors.ts'
import type { SinkRecord } from '../sink.ts'
import type { Row, RowChange, RowDecoder } from './row-change.ts'

/** The serdes that wrote the records, and the columns their values go to. */
export interface SerdeRowsOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** The key's columns. */
  keyRow(key: K): Row
  /** The other columns; the key's are added. */
  row(value: V, key: K): Row
}

/** Records written with any serdes, of streams or of a schema registry; a null value deletes the row of the key. */
export function serdeRows<K, V>(options: SerdeRowsOptions<K, V>): RowDecoder {
  return {
    text: { binary: 'utf8', json: 'string' },
    decode(record): RowChange {
      if (record.key === null) throw new PoisonousRecordError(record, 'it has no key, so no row can be told')
      const key = decodePart(record, 'key', options.key, record.key)
      const keyRow = options.keyRow(key)
      if (record.value === null) return { kind: 'delete', key: keyRow }
      const value = decodePart(record, 'value', options.value, record.value)
      return { kind: 'upsert', key: keyRow, row: { ...keyRow, ...options.row(value, key) } }
    }
  }
}

function decodePart<T>(record: SinkRecord, part: string, serde: Serde<T>, bytes: Buffer): T {
  try {
    return serde.decode(bytes, 0, bytes.length)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new PoisonousRecordError(record, `its ${part} cannot be decoded with ${serde.name}: ${reason}`)
  }
}
