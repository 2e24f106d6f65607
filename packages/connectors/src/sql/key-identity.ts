import { stringifyLosslessly } from '../rows/lossless-json.ts'
import type { ColumnValue, Row } from '../rows/row-change.ts'

/** What two keys share when they are equal in the target, where '1' may be 1. */
export type KeyIdentity = string | number

const SAFE_INTEGER_CHARACTERS = 17
const INTEGER = /^(0|-?[1-9]\d*)$/

/** A number for a key of one whole number, however it is written; else text. */
export function identityOf(key: Row, columns: readonly string[]): KeyIdentity {
  if (columns.length === 1) return identityOfValue(key[columns[0]])
  let identity = ''
  for (const column of columns) identity += `${identityOfValue(key[column])}\0`
  return identity
}

/** All of them in an order that depends on nothing else: numbers first. */
export function sortedIdentities(identities: Iterable<KeyIdentity>): readonly KeyIdentity[] {
  const numbers: number[] = []
  const texts: string[] = []
  for (const identity of identities) {
    if (typeof identity === 'number') numbers.push(identity)
    else texts.push(identity)
  }
  return [...Float64Array.from(numbers).sort(), ...texts.sort()]
}

function identityOfValue(value: ColumnValue | undefined): KeyIdentity {
  switch (typeof value) {
    case 'number':
      return Number.isSafeInteger(value) ? value : String(value)
    case 'string':
      return identityOfText(value)
    case 'bigint':
      return identityOfText(String(value))
    case 'object':
      return stringifyLosslessly(value)
    default:
      return String(value)
  }
}

function identityOfText(text: string): KeyIdentity {
  const first = text.charCodeAt(0)
  const mayBeNumber = (first >= 0x30 && first <= 0x39) || first === 0x2d
  if (!mayBeNumber || text.length > SAFE_INTEGER_CHARACTERS || !INTEGER.test(text)) return text
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}
