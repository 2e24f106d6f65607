import { MillraceError } from '@millrace/log'

/** The functions that cases name: predicates, mappers, key functions and aggregators over strings that may be null. */

type Value = string | null

/** A record as the named functions see it. */
export interface KeyAndValue {
  readonly key: Value
  readonly value: Value
}

/** A case names a function that is not among those described beside the cases. */
export class UnknownFunctionError extends MillraceError {
  readonly code = 'GOLDEN_UNKNOWN_FUNCTION'
}

/** Null prints as `null`. */
export function printed(value: Value): string {
  return value ?? 'null'
}

const predicates: Readonly<Record<string, (record: KeyAndValue) => boolean>> = {
  valueIsEven: ({ value }) => value !== null && numberIn(value) % 2 === 0,
  valueIsOdd: ({ value }) => value !== null && numberIn(value) % 2 === 1,
  valueBelow50: ({ value }) => value !== null && numberIn(value) < 50,
  keyIsA: ({ key }) => key === 'a'
}

const mappers: Readonly<Record<string, (record: KeyAndValue) => Value>> = {
  bracket: ({ value }) => (value === null ? null : `[${value}]`),
  withKey: ({ key, value }) => `${printed(key)}:${printed(value)}`,
  evenElseNull: ({ value }) => (value !== null && numberIn(value) % 2 === 0 ? value : null),
  lastDigit: ({ value }) => (value === null ? null : String(numberIn(value) % 10))
}

const keyFunctions: Readonly<Record<string, (value: Value) => Value>> = {
  valueMod3: (value) => remainder(value, { prefix: 'm', modulus: 3 }),
  valueMod3OrNull: (value) => remainder(value, { prefix: 'm', modulus: 3, nullForMultiplesOf: 3 }),
  foreign: (value) => remainder(value, { prefix: 'f', modulus: 4 }),
  foreignOrNull: (value) => remainder(value, { prefix: 'f', modulus: 4, nullForMultiplesOf: 5 })
}

/** The predicate of that name. */
export function predicate(name = ''): (record: KeyAndValue) => boolean {
  return named(predicates, name)
}

/** The value mapper of that name. */
export function mapper(name = ''): (record: KeyAndValue) => Value {
  return named(mappers, name)
}

/** The key function of that name. */
export function keyFunction(name = ''): (value: Value) => Value {
  return named(keyFunctions, name)
}

function named<F>(functions: Readonly<Record<string, F>>, name: string): F {
  const found = functions[name]
  if (found === undefined) throw new UnknownFunctionError(`no function is called ${name}`)
  return found
}

function numberIn(text: string): number {
  let number = 0
  for (const character of text) {
    if (character >= '0' && character <= '9') number = (10 * number + Number(character)) % 1_000_003
  }
  return number
}

function remainder(
  value: Value,
  of: { readonly prefix: string; readonly modulus: number; readonly nullForMultiplesOf?: number }
): Value {
  if (value === null) return null
  const number = numberIn(value)
  if (of.nullForMultiplesOf !== undefined && number % of.nullForMultiplesOf === 0) return null
  return `${of.prefix}${number % of.modulus}`
}
