import { isRow } from '../../rows/json-object.ts'
import { stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { ColumnValue, Row, TextForms } from '../../rows/row-change.ts'
import type { ColumnTypes } from '../../sql/prepare-write.ts'
import { dateOfDays, timeOfNumber, timestampOfIso, timestampOfNumber } from './debezium-times.ts'
import { baseOf, type MadeType, type MadeTypes } from './made-types.ts'
import { arrayText, compositeText, hstoreText, isList } from './nested-text.ts'

/** How values of one column are put into the JSON that a statement takes its rows from. */
export type ColumnEncoder = (value: ColumnValue) => unknown

/** Boxes have commas in them. */
const BOXES = 'box[]'
const NO_TYPES: MadeTypes = new Map()
const TIME_WITH_MILLIS = /^time(stamp)?\([0-3]\)/

/**
 * Types for new columns. A number's is numeric, since nothing says that the next one is whole too; a key's is bigint.
 */
export const POSTGRES_TYPES: ColumnTypes = {
  typeFor(value, isKey) {
    switch (typeof value) {
      case 'string':
        return 'text'
      case 'number':
        return isKey && Number.isSafeInteger(value) ? 'bigint' : 'numeric'
      case 'bigint':
        return 'numeric'
      case 'boolean':
        return 'boolean'
      default:
        if (value instanceof Uint8Array) return 'bytea'
        return value instanceof Date ? 'timestamptz' : 'jsonb'
    }
  }
}

/** The rows as the JSON text that `json_to_recordset` reads. */
export function encodeRows(
  rows: readonly Row[],
  columns: readonly string[],
  encoders: readonly ColumnEncoder[]
): string {
  const names = columns.map((_, at) => `c${at}`)
  const encoded = rows.map((row) => {
    const entry: Record<string, unknown> = {}
    for (let at = 0; at < columns.length; at++) {
      const value = row[columns[at]]
      entry[names[at]] = value === null || value === undefined ? null : encoders[at](value)
    }
    return entry
  })
  return stringifyLosslessly(encoded)
}

/**
 * The encoder for a column's type. A string or a number for a column of another type is what PostgreSQL's input makes of its text, but for: binary
 * text, JSON documents, and Debezium's numbers for dates (days), times and timestamps (milliseconds to precision 3, else microseconds). Values of a domain
 * are those of its base type, and an object for a composite type has its fields.
 */
export function encoderFor(type: string, forms: TextForms, madeTypes: MadeTypes = NO_TYPES): ColumnEncoder {
  if (type.endsWith('[]')) return arrayEncoder(type.slice(0, -2), forms, madeTypes)
  const made = madeTypes.get(type)
  return made === undefined ? plainEncoder(type, forms) : madeEncoder(made, forms, madeTypes)
}

function madeEncoder(made: MadeType, forms: TextForms, madeTypes: MadeTypes): ColumnEncoder {
  if ('base' in made) return encoderFor(made.base, forms, madeTypes)
  const fields = made.fields.map(({ name, type }) => {
    const encode = encoderFor(type, forms, madeTypes)
    return { name, encode, separator: type === BOXES ? (';' as const) : (',' as const) }
  })
  return (value) => {
    if (!isRow(value)) return encodePlain(value)
    return compositeText(
      fields.map(({ name, encode, separator }) => {
        const field = value[name]
        return { value: field === null || field === undefined ? null : encode(field), separator }
      })
    )
  }
}

function plainEncoder(type: string, forms: TextForms): ColumnEncoder {
  if (type.startsWith('bit(')) return bitsEncoder(Number(type.slice(4, -1)))
  if (type === 'point') return encodePoint
  if (/(^|\.)hstore$/.test(type)) return hstoreText
  if (type === 'bytea') return (value) => encodeBinary(value, forms)
  if (isJsonType(type)) return (value) => encodeDocument(value, forms)
  if (type === 'date') return (value) => (isNumeric(value) ? dateOfDays(Number(value)) : encodeTime(value, type))
  if (/^time(stamp)?(\(|\b)/.test(type)) return (value) => encodeTime(value, type)
  return encodePlain
}

/** Columns of these types are given as text and cast, so that a string can stand for a whole document. */
export function isJsonType(type: string): boolean {
  return type === 'json' || type === 'jsonb'
}

/** Elements are written as columns of their type are; documents as text, since they may be arrays themselves. */
function arrayEncoder(type: string, forms: TextForms, madeTypes: MadeTypes): ColumnEncoder {
  const element = encoderFor(type, forms, madeTypes)
  const encode = (value: ColumnValue): unknown => {
    if (value === null) return null
    return isList(value) ? value.map(encode) : element(value)
  }
  if (isJsonType(baseOf(type, madeTypes))) {
    return (value) => (isList(value) ? arrayText(value, (document) => String(element(document))) : encodePlain(value))
  }
  return (value) => (isList(value) ? encode(value) : encodePlain(value))
}

/** `io.debezium.data.Bits`: little-endian bytes; of one bit a boolean. Text of zeros and ones stays. */
function bitsEncoder(length: number): ColumnEncoder {
  return (value) => {
    if (typeof value === 'boolean') return value ? '1' : '0'
    if (typeof value !== 'string' || (value.length === length && /^[01]*$/.test(value))) return value
    const bytes = Buffer.from(value, 'base64')
    return Array.from(
      { length },
      (_, at) => ((bytes[(length - 1 - at) >> 3] ?? 0) >> ((length - 1 - at) & 7)) & 1
    ).join('')
  }
}

/** `io.debezium.data.geometry.Point`. */
function encodePoint(value: ColumnValue): unknown {
  return typeof value === 'object' && value !== null && 'x' in value && 'y' in value
    ? `(${value.x},${value.y})`
    : encodePlain(value)
}

function encodePlain(value: ColumnValue): unknown {
  if (value instanceof Uint8Array) return hexOf(value)
  // JSON has no such numbers, and JSON.stringify no minus zero; PostgreSQL reads their text.
  if (Object.is(value, -0)) return '-0'
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

function encodeBinary(value: ColumnValue, forms: TextForms): unknown {
  if (typeof value === 'string') return hexOf(Buffer.from(value, forms.binary))
  return value instanceof Uint8Array ? hexOf(value) : value
}

function encodeDocument(value: ColumnValue, forms: TextForms): unknown {
  return typeof value === 'string' && forms.json === 'document' ? value : stringifyLosslessly(value)
}

function encodeTime(value: ColumnValue, type: string): unknown {
  if (typeof value === 'string') return timestampOfIso(value)
  if (value instanceof Date) return timestampOfIso(Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString())
  if (!isNumeric(value)) return encodePlain(value)
  const perSecond = TIME_WITH_MILLIS.test(type) ? 1000n : 1_000_000n
  return type.startsWith('timestamp')
    ? timestampOfNumber(BigInt(value), perSecond)
    : timeOfNumber(BigInt(value), perSecond)
}

function isNumeric(value: ColumnValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function hexOf(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`
}
