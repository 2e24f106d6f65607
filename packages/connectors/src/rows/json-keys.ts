import type { SinkRecord } from '../sink.ts'
import { decodeObject } from './json-object.ts'
import type { Row } from './row-change.ts'

const CLOSE_BRACE = 0x7d
const MINUS = 0x2d
const ZERO = 0x30
const NINE = 0x39
/** Whole numbers of so many digits are all held exactly. */
const SAFE_DIGITS = 15

/** `{"id":` and the name in it. */
interface KnownColumn {
  readonly name: string
  readonly begin: Buffer
}

/**
 * Decodes JSON keys. Most tables have one whole number as their key, so that all keys but its digits are the same bytes: those are not parsed as JSON
 * again.
 */
export class JsonKeys {
  #column: KnownColumn | undefined

  /**
   * The JSON object in the record's key; empty without a key.
   * @throws PoisonousRecordError when it is no JSON, or no object.
   */
  decode(record: SinkRecord): Row {
    const { key } = record
    if (key === null) return {}
    const column = this.#column
    const value = column === undefined ? undefined : integerBehind(column.begin, key)
    if (column !== undefined && value !== undefined) return { [column.name]: value }
    const row = decodeObject(record, 'key', key)
    this.#column = columnOf(row, key) ?? column
    return row
  }
}

/** The column, if the key is one whole number and written as others will be. */
function columnOf(row: Row, key: Buffer): KnownColumn | undefined {
  const [name, another] = Object.keys(row)
  if (name === undefined || another !== undefined) return undefined
  const begin = Buffer.from(`{${JSON.stringify(name)}:`)
  return integerBehind(begin, key) === undefined ? undefined : { name, begin }
}

/** The number in `{"id":4711}`; undefined for anything else. */
function integerBehind(begin: Buffer, key: Buffer): number | undefined {
  const end = key.length - 1
  if (end <= begin.length || key[end] !== CLOSE_BRACE) return undefined
  for (let at = 0; at < begin.length; at++) if (key[at] !== begin[at]) return undefined
  const isNegative = key[begin.length] === MINUS
  const first = isNegative ? begin.length + 1 : begin.length
  const digits = end - first
  if (digits < 1 || digits > SAFE_DIGITS || (key[first] === ZERO && (digits > 1 || isNegative))) return undefined
  let value = 0
  for (let at = first; at < end; at++) {
    const byte = key[at]
    if (byte < ZERO || byte > NINE) return undefined
    value = value * 10 + byte - ZERO
  }
  return isNegative ? -value : value
}
