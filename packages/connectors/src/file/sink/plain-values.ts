import type { ColumnValue, Row } from '../../rows/row-change.ts'

/** The row with bytes as base64, for formats of text. Times become ISO 8601 by themselves. */
export function plainRow(row: Row): Row {
  const bytes = Object.values(row).some((value) => value instanceof Uint8Array)
  return bytes ? Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainValue(value)])) : row
}

/** The value, or base64 of bytes. */
export function plainValue(value: ColumnValue): ColumnValue {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
