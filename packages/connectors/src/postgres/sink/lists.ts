import { stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { Row } from '../../rows/row-change.ts'
import type { ColumnEncoder } from './values.ts'

const SPECIAL = /["\\]/
const EACH_SPECIAL = /["\\]/g

/**
 * The rows as an array literal of PostgreSQL's for each column; undefined when a text is no valid Unicode, which only JSON can say, so that the server
 * refuses it.
 */
export function encodeLists(
  rows: readonly Row[],
  columns: readonly string[],
  encoders: readonly ColumnEncoder[]
): string[] | undefined {
  const lists: string[] = []
  for (const [at, column] of columns.entries()) {
    const encode = encoders[at]
    let list = '{'
    for (const row of rows) {
      const value = row[column]
      const element = value === null || value === undefined ? 'NULL' : listElement(encode(value))
      if (element === undefined) return undefined
      list += list.length === 1 ? element : `,${element}`
    }
    lists.push(`${list}}`)
  }
  return lists
}

/** What JSON would hold of it, as an element of an array. */
function listElement(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return quoted(value)
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default: {
      if (value instanceof Date) return quoted(value.toJSON())
      return value === null || value === undefined ? 'NULL' : quoted(stringifyLosslessly(value))
    }
  }
}

function quoted(text: string | null): string | undefined {
  if (text === null) return 'NULL'
  if (!text.isWellFormed()) return undefined
  return SPECIAL.test(text) ? `"${text.replace(EACH_SPECIAL, '\\$&')}"` : `"${text}"`
}
