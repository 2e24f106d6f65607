import { WATERMARK_PREFIX } from '../change-decoder.ts'
import { quoteIdentifier, quoteLiteral } from '../connection.ts'
import { type CatalogTable, COLUMNS_SQL, KEY_SQL, quotedName } from '../tables/table-shape.ts'

/** Which rows of a table to read. */
export interface ChunkRange {
  /** Rows behind this key, in the order of the key's index; all when null. */
  readonly after: readonly string[] | null
  readonly rows: number
  readonly condition?: string
}

/** Which pages of a table without a key to read. */
export interface PageRange {
  /** The table, or one partition of it, quoted. */
  readonly leaf: string
  readonly from: number
  readonly to: number
}

/**
 * Reads a chunk of a table by its key: what the reading sees, the table's shape, and the rows. The table is locked against nothing but changes of its shape, so that shape and rows fit each other.
 */
export function keyedChunk(table: CatalogTable, range: ChunkRange): string {
  const order = table.keyOrder.map((column) => quoteIdentifier(table.columns[column].name))
  const conditions = [table.rowFilter, range.condition]
  if (range.after) {
    const literals = range.after.map((value, index) => `${quoteLiteral(value)}::${table.keyTypes[index]}`)
    conditions.push(`(${order.join(', ')}) > (${literals.join(', ')})`)
  }
  const select = `select ${columnList(table)} from ${quotedName(table)} ${where(conditions)} order by ${order.join(', ')} limit ${range.rows}`
  return chunk(table, select)
}

/** Reads pages of a table without a key; the last column is the transaction that wrote the row. */
export function pagesChunk(table: CatalogTable, range: PageRange): string {
  const pages = `ctid >= '(${range.from},0)'::tid and ctid < '(${range.to},0)'::tid`
  const list = [columnList(table), 'xmin'].filter((part) => part !== '').join(', ')
  return chunk(table, `select ${list} from only ${range.leaf} ${where([table.rowFilter, pages])}`)
}

function chunk(table: CatalogTable, select: string): string {
  const schemas = ['pg_catalog', ...table.typeSchemas.map(quoteIdentifier)].join(', ')
  return [
    'begin isolation level repeatable read read only',
    `set local search_path = ${schemas}`,
    `lock table ${quotedName(table)} in access share mode`,
    `select pg_current_snapshot()::text, ${COLUMNS_SQL}::text, ${KEY_SQL}::text from pg_class c where c.oid = ${table.oid}`,
    `copy (${select}) to stdout`,
    'commit'
  ].join(';')
}

/** Sets a mark in the write-ahead log. */
export function watermarkStatement(watermark: string): string {
  return `select pg_logical_emit_message(true, ${quoteLiteral(WATERMARK_PREFIX)}, ${quoteLiteral(watermark)})`
}

function columnList(table: CatalogTable): string {
  return table.columns.map((column) => quoteIdentifier(column.name)).join(', ')
}

function where(conditions: readonly (string | null | undefined)[]): string {
  const all = conditions.filter((condition) => condition).map((condition) => `(${condition})`)
  return all.length === 0 ? '' : `where ${all.join(' and ')}`
}
