import type { SourceState } from '../../../source.ts'
import { NULL_LENGTH, type Tuple, UNCHANGED_LENGTH } from '../pgoutput/message.ts'
import { hasUnchanged, type TableEncoder } from './table-encoder.ts'

/** A row as an update leaves it, and as it was, where the stream tells. */
export interface RowVersions {
  readonly row: Tuple
  readonly old: Tuple | undefined
}

/**
 * Remembers the values of large rows that PostgreSQL stores out of line, since an update that does not change them leaves them out of its log
 * (TOAST). Kept in the source's state, which commits with the records, so that it is exactly as new as the log.
 */
export class OutOfLineMemory {
  readonly #state: SourceState
  /** Tables of which a row is remembered. */
  readonly #tables = new Set<string>()

  constructor(state: SourceState) {
    this.#state = state
  }

  /** Looks whether rows of the table are remembered from before. To be called before the table's first row. */
  async open(name: string): Promise<void> {
    for await (const _ of this.#state.scan(prefixOf(name))) {
      this.#tables.add(name)
      break
    }
  }

  /**
   * The row with every value that it left out, from its old version where that has it, else from memory; undefined when one is known nowhere.
   * @param key Of the old version, under which the row is remembered.
   */
  complete(table: TableEncoder, key: Buffer | null, { row, old }: RowVersions): Tuple | undefined {
    if (!hasUnchanged(row)) return row
    const remembered = key === null ? undefined : this.#state.get(entryKey(table, key))
    const values = remembered === undefined ? undefined : decodeEntry(remembered)
    return fill(row, (column) => valueAt(old, column) ?? values?.get(table.shape.columns[column].name))
  }

  /** Remembers the row, or forgets it when nothing of it can be out of line. */
  remember(table: TableEncoder, key: Buffer | null, tuple: Tuple): void {
    if (key === null) return
    if (!table.mayBeOutOfLine(tuple)) {
      this.forget(table, key)
      return
    }
    this.#tables.add(table.name)
    this.#state.set(entryKey(table, key), encodeEntry(table, tuple))
  }

  forget(table: TableEncoder, key: Buffer | null): void {
    if (key === null || !this.#tables.has(table.name)) return
    const entry = entryKey(table, key)
    if (this.#state.get(entry) !== undefined) this.#state.set(entry, null)
  }

  /** Forgets all rows of a table. */
  async forgetTable(name: string): Promise<void> {
    if (!this.#tables.delete(name)) return
    for await (const [key] of this.#state.scan(prefixOf(name))) this.#state.set(key, null)
  }
}

function prefixOf(name: string): Buffer {
  return Buffer.from(`row:${name}\0`)
}

function entryKey(table: TableEncoder, key: Buffer): Buffer {
  return Buffer.concat([prefixOf(table.name), key])
}

/** The tuple with the values that `find` has for its unchanged columns, in bytes of its own. */
export function fill(tuple: Tuple, find: (column: number) => Buffer | undefined): Tuple | undefined {
  const places = tuple.places.slice()
  const parts = [tuple.bytes]
  let end = tuple.bytes.length
  for (let column = 0; column * 2 < places.length; column++) {
    if (places[column * 2 + 1] !== UNCHANGED_LENGTH) continue
    const value = find(column)
    if (value === undefined) return undefined
    places[column * 2] = end
    places[column * 2 + 1] = value.length
    parts.push(value)
    end += value.length
  }
  return { bytes: Buffer.concat(parts), places }
}

/** A column's bytes; undefined when there is no such tuple, or the column is null or left out. */
export function valueAt(tuple: Tuple | undefined, column: number): Buffer | undefined {
  if (!tuple) return undefined
  const start = tuple.places[column * 2]
  const length = tuple.places[column * 2 + 1]
  return length <= NULL_LENGTH ? undefined : tuple.bytes.subarray(start, start + length)
}

/** Name and value of each column, each behind its length. */
function encodeEntry(table: TableEncoder, tuple: Tuple): Buffer {
  const parts: Buffer[] = []
  for (const column of table.outOfLineColumns()) {
    const value = valueAt(tuple, column)
    if (value === undefined) continue
    const name = Buffer.from(table.shape.columns[column].name)
    const lengths = Buffer.alloc(6)
    lengths.writeUInt16BE(name.length, 0)
    lengths.writeUInt32BE(value.length, 2)
    parts.push(lengths, name, value)
  }
  return Buffer.concat(parts)
}

function decodeEntry(entry: Buffer): Map<string, Buffer> {
  const values = new Map<string, Buffer>()
  for (let at = 0; at < entry.length; ) {
    const nameLength = entry.readUInt16BE(at)
    const valueLength = entry.readUInt32BE(at + 2)
    const value = at + 6 + nameLength
    values.set(entry.toString('utf8', at + 6, value), entry.subarray(value, value + valueLength))
    at = value + valueLength
  }
  return values
}
