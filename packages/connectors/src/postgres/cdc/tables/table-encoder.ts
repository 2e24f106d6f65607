import type { ByteWriter } from '../byte-writer.ts'
import { NULL_LENGTH, type Tuple, UNCHANGED_LENGTH } from '../pgoutput/message.ts'
import type { ColumnEncoder } from '../types/column-encoder.ts'
import type { TypeCatalog } from '../types/type-catalog.ts'
import { qualifiedName, type TableShape } from './table-shape.ts'

/** What Debezium writes for a value that is stored out of line, did not change, and is known nowhere. */
const UNAVAILABLE = '"__debezium_unavailable_value"'
/** Rows up to this size are not stored out of line, unless the table asks for another limit (`toast_tuple_target`). */
const OUT_OF_LINE_BYTES = 2032
const ROW_HEADER_BYTES = 24
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** Which columns of a tuple are meant: all, or those of the key, since an old tuple may hold nothing else. */
export type Columns = 'all' | 'key'

/** A table's shape compiled: writes its rows and keys as JSON. */
export class TableEncoder {
  readonly shape: TableShape
  /** `schema.table`. */
  readonly name: string
  readonly #encoders: readonly ColumnEncoder[]
  readonly #names: readonly Buffer[]
  readonly #firstNames: readonly Buffer[]
  readonly #isKey: readonly boolean[]
  readonly #outOfLineBytes: number
  readonly #storage: readonly { readonly fixedBytes: number; readonly perTextByte: number }[]

  /** @param outOfLineBytes the table's `toast_tuple_target`. */
  constructor(shape: TableShape, types: TypeCatalog, outOfLineBytes = OUT_OF_LINE_BYTES) {
    this.shape = shape
    this.name = qualifiedName(shape)
    this.#outOfLineBytes = Math.min(outOfLineBytes, OUT_OF_LINE_BYTES)
    this.#encoders = shape.columns.map((column) => types.encoder(column.type, column.modifier))
    this.#names = shape.columns.map((column) => Buffer.from(`,${JSON.stringify(column.name)}:`))
    this.#firstNames = shape.columns.map((column) => Buffer.from(`{${JSON.stringify(column.name)}:`))
    this.#isKey = shape.columns.map((_, index) => shape.key.includes(index))
    this.#storage = shape.columns.map((column) => types.storage(column.type))
  }

  get hasKey(): boolean {
    return this.shape.key.length > 0
  }

  /** The row as a JSON object. */
  writeRow(out: ByteWriter, tuple: Tuple, columns: Columns = 'all'): void {
    const { bytes, places } = tuple
    const text = { source: bytes, start: 0, end: 0 }
    let isFirst = true
    for (let column = 0; column < this.#encoders.length; column++) {
      if (columns === 'key' && !this.#isKey[column]) continue
      out.copy(isFirst ? this.#firstNames[column] : this.#names[column])
      isFirst = false
      const length = places[column * 2 + 1]
      text.start = places[column * 2]
      text.end = text.start + length
      if (length >= 0) this.#encoders[column](out, text)
      else out.ascii(length === NULL_LENGTH ? 'null' : UNAVAILABLE)
    }
    if (isFirst) out.byte(OPEN_BRACE)
    out.byte(CLOSE_BRACE)
  }

  /** One column's value as JSON; null where there is no such column. */
  writeColumn(out: ByteWriter, { bytes, places }: Tuple, name: string): void {
    const column = this.shape.columns.findIndex((one) => one.name === name)
    const length = column < 0 ? NULL_LENGTH : places[column * 2 + 1]
    const start = places[column * 2]
    if (length < 0) out.ascii('null')
    else this.#encoders[column](out, { source: bytes, start, end: start + length })
  }

  /** The key's bytes; null without a key. */
  key(out: ByteWriter, tuple: Tuple): Buffer | null {
    if (!this.hasKey) return null
    this.writeRow(out, tuple, 'key')
    return out.take()
  }

  /** Whether PostgreSQL may store some value of the row out of line, so that a later update may leave it out. */
  mayBeOutOfLine(tuple: Tuple): boolean {
    let estimate = ROW_HEADER_BYTES
    for (let column = 0; column < this.#storage.length; column++) {
      const length = tuple.places[column * 2 + 1]
      if (length < 0) continue
      const storage = this.#storage[column]
      estimate += storage.fixedBytes + length * storage.perTextByte
    }
    return estimate >= this.#outOfLineBytes
  }

  /** Columns whose value may be out of line, by index. */
  outOfLineColumns(): number[] {
    return this.#storage.flatMap((storage, column) => (storage.perTextByte > 0 && !this.#isKey[column] ? [column] : []))
  }
}

/** Whether some column of the tuple was left out since it did not change. */
export function hasUnchanged(tuple: Tuple): boolean {
  const { places } = tuple
  for (let index = 1; index < places.length; index += 2) if (places[index] === UNCHANGED_LENGTH) return true
  return false
}

/** The text of a column; undefined when it is null or unchanged. */
export function textOf(tuple: Tuple, column: number): string | undefined {
  const length = tuple.places[column * 2 + 1]
  const start = tuple.places[column * 2]
  return length < 0 ? undefined : tuple.bytes.toString('utf8', start, start + length)
}
