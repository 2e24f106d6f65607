import { UsageError } from '@millrace/log'
import { stringifyLosslessly } from '../../rows/lossless-json.ts'
import type { ColumnValue, Row } from '../../rows/row-change.ts'
import { DELETED_COLUMN, type FileFormat } from './file-format.ts'
import { plainValue } from './plain-values.ts'

/** Which columns. */
export interface CsvOptions {
  /** In this order; other fields of a row are left out. */
  readonly columns: readonly string[]
}

/**
 * RFC 4180 with a header line, and a last column `__deleted` that is `true` for a deleted row. Null is an empty field, an empty text `""`; structured
 * values are JSON.
 */
export function csv({ columns }: CsvOptions): FileFormat {
  if (columns.length === 0) throw new UsageError('csv() needs columns: name those to write, in their order')
  const header = [...columns, DELETED_COLUMN]
  return {
    extension: 'csv',
    begin() {
      let begun = false
      return {
        append(rows) {
          const lines = rows.map((row) => line(row, columns))
          if (!begun) lines.unshift(`${header.map(quoted).join(',')}\r\n`)
          begun = true
          return Buffer.from(lines.join(''))
        },
        end: () => Buffer.alloc(0)
      }
    }
  }
}

function line(row: Row, columns: readonly string[]): string {
  const fields = columns.map((column) => field(row[column] ?? null))
  return `${fields.join(',')},${row[DELETED_COLUMN] === true ? 'true' : 'false'}\r\n`
}

function field(value: ColumnValue): string {
  if (value === null) return ''
  if (value === '') return '""'
  const plain = plainValue(value)
  if (typeof plain === 'string') return quoted(plain)
  if (plain instanceof Date) return plain.toISOString()
  return typeof plain === 'object' ? quoted(stringifyLosslessly(plain)) : String(plain)
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
