import { MillraceError } from '@millrace/log'
import { isRow } from '../../rows/json-object.ts'
import { parseLosslessly, stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { ColumnValue, Row } from '../../rows/row-change.ts'
import type { RecordTransform } from './transform.ts'

/** How change events become rows, as Debezium's ExtractNewRecordState has it. */
export interface UnwrapOptions {
  /**
   * What becomes of a delete: `tombstone` (default) keeps the tombstone that follows it and drops the event; `drop` drops both; `rewrite` gives
   * the old row with `__deleted: true`, and drops the tombstone.
   */
  readonly deletes?: 'tombstone' | 'drop' | 'rewrite'
  /** Fields of the envelope to add, `source.lsn` among them, as `__op`, `__source_lsn`. */
  readonly addFields?: readonly string[]
}

/** A record that should be a change event is none. */
export class NotAChangeEventError extends MillraceError {
  readonly code = 'CONNECTORS_NOT_A_CHANGE_EVENT'
}

/**
 * Takes the row out of Debezium's envelope (JSON, with or without `schema`): the row after the change is the value. Truncates and messages
 * are dropped, since no row says what they say.
 */
export function unwrapDebezium(options: UnwrapOptions = {}): RecordTransform {
  const deletes = options.deletes ?? 'tombstone'
  return (record) => {
    if (record.value === null) return deletes === 'tombstone' ? record : null
    const envelope = envelopeOf(record.value)
    if (envelope.op === 't' || envelope.op === 'm') return null
    if (envelope.op === 'd' && deletes !== 'rewrite') return null
    const row = envelope.op === 'd' ? envelope.before : envelope.after
    if (!isRow(row)) throw new NotAChangeEventError(`the change event of op ${String(envelope.op)} has no row`)
    const deleted = deletes === 'rewrite' ? { __deleted: envelope.op === 'd' } : {}
    const value = { ...row, ...deleted, ...addedFields(envelope, options.addFields ?? []) }
    return { ...record, value: Buffer.from(stringifyLosslessly(value)) }
  }
}

function envelopeOf(bytes: Buffer): Row {
  const parsed = parseLosslessly(bytes.toString('utf8'))
  const message = isRow(parsed) && 'schema' in parsed && isRow(parsed.payload) ? parsed.payload : parsed
  if (!isRow(message) || typeof message.op !== 'string') {
    throw new NotAChangeEventError('the value is no change event: it has no `op`')
  }
  return message
}

function addedFields(envelope: Row, names: readonly string[]): Row {
  return Object.fromEntries(names.map((name) => [`__${name.replaceAll('.', '_')}`, fieldOf(envelope, name)]))
}

function fieldOf(envelope: Row, path: string): ColumnValue {
  let value: ColumnValue = envelope
  for (const name of path.split('.')) value = isRow(value) ? (value[name] ?? null) : null
  return value
}
