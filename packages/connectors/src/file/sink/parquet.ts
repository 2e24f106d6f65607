import { UsageError } from '@millrace/log'
import type { ColumnValue, Row } from '../../rows/row-change.ts'
import { RowFormatError } from '../errors.ts'
import { DELETED_COLUMN, type FileFormat } from './file-format.ts'

/** Parquet's types of columns, all of which may be null. `TIMESTAMP` has milliseconds, `JSON` takes anything. */
export type ParquetType = 'BOOLEAN' | 'INT32' | 'INT64' | 'DOUBLE' | 'STRING' | 'TIMESTAMP' | 'JSON' | 'BYTE_ARRAY'

/** The npm module `hyparquet-writer`, as far as it is used: the program gives it. */
export interface ParquetWriterModule {
  parquetWriteBuffer(options: {
    readonly columnData: { name: string; data: unknown[]; type: ParquetType; nullable: boolean }[]
  }): ArrayBuffer
}

/** How to write Parquet. */
export interface ParquetOptions {
  /** The npm module `hyparquet-writer`. */
  readonly writer: ParquetWriterModule
  /** Types by column name, in the order of the file; other fields of a row are left out. */
  readonly columns: Readonly<Record<string, ParquetType>>
}

/** Apache Parquet, with a last column `__deleted`. The rows of a file are in memory until it is written: let `rollRecords` bound them. */
export function parquet({ writer, columns }: ParquetOptions): FileFormat {
  const types = Object.entries(columns)
  if (types.length === 0) throw new UsageError('parquet() needs columns: name those to write, with their types')
  return {
    extension: 'parquet',
    begin() {
      const data = types.map(([name, type]) => ({ name, type, nullable: true, data: [] as unknown[] }))
      const deleted = { name: DELETED_COLUMN, type: 'BOOLEAN' as const, nullable: true, data: [] as unknown[] }
      return {
        append(rows) {
          // All are converted before one is taken: a row that does not fit leaves the file as it was.
          const converted = data.map(({ name, type }) => rows.map((row) => convert(row, name, type)))
          for (const [at, values] of converted.entries()) for (const value of values) data[at].data.push(value)
          for (const row of rows) deleted.data.push(row[DELETED_COLUMN] === true)
          return Buffer.alloc(0)
        },
        end: () => Buffer.from(writer.parquetWriteBuffer({ columnData: [...data, deleted] }))
      }
    }
  }
}

function convert(row: Row, column: string, type: ParquetType): unknown {
  const value = row[column] ?? null
  if (value === null) return null
  const converted = convertTo(type, value)
  if (converted === undefined) throw new RowFormatError(column, `${describe(value)} is no ${type}`)
  return converted
}

function convertTo(type: ParquetType, value: NonNullable<ColumnValue>): unknown {
  switch (type) {
    case 'BOOLEAN':
      return typeof value === 'boolean' ? value : undefined
    case 'INT32':
      return typeof value === 'number' && value === (value | 0) ? value : undefined
    case 'INT64':
      return toInteger(value)
    case 'DOUBLE':
      return toNumber(value)
    case 'STRING':
      return typeof value === 'string' ? value : undefined
    case 'TIMESTAMP':
      return toDate(value)
    case 'BYTE_ARRAY':
      return value instanceof Uint8Array ? value : undefined
    case 'JSON':
      return withExactNumbers(value)
  }
}

/** Whole numbers that no double holds as JSON writes them: the library would round them, or make text of them. */
function withExactNumbers(value: ColumnValue): unknown {
  if (typeof value === 'bigint') return JSON.rawJSON(String(value))
  if (typeof value !== 'object' || value === null || value instanceof Date || value instanceof Uint8Array) return value
  if (isList(value)) return value.map(withExactNumbers)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withExactNumbers(one)]))
}

function isList(value: object): value is readonly ColumnValue[] {
  return Array.isArray(value)
}

function toInteger(value: NonNullable<ColumnValue>): bigint | undefined {
  if (typeof value === 'bigint') return value === BigInt.asIntN(64, value) ? value : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
}

function toNumber(value: NonNullable<ColumnValue>): number | undefined {
  if (typeof value === 'number') return value
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN
  return Number.isNaN(number) ? undefined : number
}

function toDate(value: NonNullable<ColumnValue>): Date | undefined {
  if (typeof value !== 'string' && typeof value !== 'number' && !(value instanceof Date)) return undefined
  const date = new Date(value)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function describe(value: NonNullable<ColumnValue>): string {
  return typeof value === 'object' ? 'a structured value' : `${typeof value} ${String(value)}`
}
