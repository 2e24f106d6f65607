import { isRow } from '../../rows/json-object.ts'
import { parseLosslessly, stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { ColumnValue } from '../../rows/row-change.ts'

const EACH_SPECIAL = /["\\]/g

/** An array as PostgreSQL's input reads it, for elements whose text no JSON array can hold as it is: `{"{\"a\": 1}",NULL}`. */
export function arrayText(list: readonly ColumnValue[], textOf: (element: ColumnValue) => string): string {
  const parts = list.map((element) => {
    if (element === null) return 'NULL'
    return isList(element) ? arrayText(element, textOf) : quoted(textOf(element))
  })
  return `{${parts.join(',')}}`
}

/** A field of a composite value, as it was encoded; `separator` stands between the elements of an array. */
export interface FieldText {
  readonly value: unknown
  readonly separator: ',' | ';'
}

/** A composite value as PostgreSQL's input reads it: `("a","\"b\"",)`. Null is nothing, an empty text quotes. */
export function compositeText(fields: readonly FieldText[]): string {
  const parts = fields.map(({ value, separator }) =>
    value === null || value === undefined ? '' : quoted(textOfField(value, separator))
  )
  return `(${parts.join(',')})`
}

function textOfField(value: unknown, separator: string): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? value : stringifyLosslessly(value)
  const parts = value.map((element) => {
    if (element === null) return 'NULL'
    return Array.isArray(element) ? textOfField(element, separator) : quoted(textOfField(element, separator))
  })
  return `{${parts.join(separator)}}`
}

/** Whether a value is an array's, whose elements may be arrays too. */
export function isList(value: ColumnValue): value is readonly ColumnValue[] {
  return Array.isArray(value)
}

/** A map as `hstore` reads it, from an object or the JSON text of one, as Debezium has it; other text stays. */
export function hstoreText(value: ColumnValue): ColumnValue {
  const map = typeof value === 'string' ? parsedObject(value) : value
  if (!isRow(map)) return value
  return Object.entries(map)
    .map(([name, entry]) => `${quoted(name)}=>${entry === null ? 'NULL' : quoted(textOfEntry(entry))}`)
    .join(',')
}

function parsedObject(text: string): unknown {
  try {
    return parseLosslessly(text)
  } catch {
    return undefined
  }
}

function textOfEntry(entry: ColumnValue): string {
  return typeof entry === 'string' ? entry : stringifyLosslessly(entry)
}

function quoted(text: string): string {
  return `"${text.replace(EACH_SPECIAL, '\\$&')}"`
}
