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
