import { stringifyLosslessly } from '../rows/lossless-json.ts'
import type { ColumnValue, TextForms } from '../rows/row-change.ts'
import type { ColumnTypes } from '../sql/prepare-write.ts'
import type { Affinity } from './catalog.ts'

/** What node:sqlite binds. */
export type SqliteValue = string | number | bigint | null | Uint8Array

const INT64_LIMIT = 2n ** 63n

/** What is bound for a column's value. Booleans are 0 and 1, times ISO 8601 text in UTC, structured values JSON text. */
export function encodeValue(value: ColumnValue | undefined, affinity: Affinity, forms: TextForms): SqliteValue {
  switch (typeof value) {
    case 'string':
      return affinity === 'blob' && forms.binary === 'base64' ? ownBytes(Buffer.from(value, 'base64')) : value
    case 'number':
      return encodeNumber(value, affinity)
    case 'boolean':
      return value ? 1 : 0
    case 'bigint':
      return value >= -INT64_LIMIT && value < INT64_LIMIT ? value : value.toString()
    case 'undefined':
      return null
    default:
      if (value === null) return value
      if (value instanceof Uint8Array) return ownBytes(value)
      return value instanceof Date ? value.toISOString() : stringifyLosslessly(value)
  }
}

/** Types for new columns. */
export const SQLITE_TYPES: ColumnTypes = {
  typeFor(value) {
    if (typeof value === 'bigint' || typeof value === 'boolean') return 'INTEGER'
    if (typeof value === 'number') return 'NUMERIC'
    return value instanceof Uint8Array ? 'BLOB' : 'TEXT'
  }
}

/** node:sqlite binds a number as a floating-point one: only a numeric column makes the integer of it that it is. */
function encodeNumber(value: number, affinity: Affinity): SqliteValue {
  if (affinity === 'number' || !Number.isFinite(value)) return value
  if (affinity === 'text') return String(value)
  return Number.isSafeInteger(value) ? BigInt(value) : value
}

/** In memory of their own: what is shared with others goes with them to the other thread. */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
