import type { Incompatibility } from '../compatibility/incompatibility.ts'
import type { Sides } from './json-compatibility.ts'
import type { JsonKeywords } from './json-view.ts'

/** Lengths and pattern. */
export function compareStrings(sides: Sides<JsonKeywords>, path: string): Incompatibility[] {
  return [
    ...compareLimit(sides, path, { keyword: 'maxLength', name: 'MAX_LENGTH', isUpper: true }),
    ...compareLimit(sides, path, { keyword: 'minLength', name: 'MIN_LENGTH', isUpper: false }),
    ...comparePattern(sides, path)
  ]
}

/** Bounds, multiples, and whether it is whole. */
export function compareNumbers(sides: Sides<JsonKeywords>, path: string): Incompatibility[] {
  const { older, newer } = sides
  const isNarrowed = older.type !== 'integer' && newer.type === 'integer'
  return [
    ...compareLimit(sides, path, { keyword: 'maximum', name: 'MAXIMUM', isUpper: true }),
    ...compareLimit(sides, path, { keyword: 'minimum', name: 'MINIMUM', isUpper: false }),
    ...compareLimit(sides, path, { keyword: 'exclusiveMaximum', name: 'EXCLUSIVE_MAXIMUM', isUpper: true }),
    ...compareLimit(sides, path, { keyword: 'exclusiveMinimum', name: 'EXCLUSIVE_MINIMUM', isUpper: false }),
    ...compareMultiple(sides, path),
    ...(isNarrowed ? [{ type: 'TYPE_NARROWED', path, message: 'a number may no longer be any but whole' }] : [])
  ]
}

/** A limit: new, or tighter than it was. Its difference is called `<NAME>_ADDED`, `_DECREASED` or `_INCREASED`. */
export function compareLimit(
  { older, newer }: Sides<JsonKeywords>,
  path: string,
  { keyword, name, isUpper }: { readonly keyword: string; readonly name: string; readonly isUpper: boolean }
): Incompatibility[] {
  const before = older[keyword]
  const after = newer[keyword]
  if (typeof after !== 'number') return []
  const limitPath = `${path}/${keyword}`
  if (typeof before !== 'number') {
    return [{ type: `${name}_ADDED`, path: limitPath, message: `${keyword} is now ${after}; it was not limited` }]
  }
  if (isUpper ? after >= before : after <= before) return []
  const type = `${name}_${isUpper ? 'DECREASED' : 'INCREASED'}`
  return [{ type, path: limitPath, message: `${keyword} was ${before} and is ${after}` }]
}

function comparePattern({ older, newer }: Sides<JsonKeywords>, path: string): Incompatibility[] {
  if (newer.pattern === undefined || newer.pattern === older.pattern) return []
  const type = older.pattern === undefined ? 'PATTERN_ADDED' : 'PATTERN_CHANGED'
  return [{ type, path: `${path}/pattern`, message: `text must now match ${newer.pattern}` }]
}

function compareMultiple({ older, newer }: Sides<JsonKeywords>, path: string): Incompatibility[] {
  const before = older.multipleOf
  const after = newer.multipleOf
  if (typeof after !== 'number' || after === before) return []
  const message = `a number must now be a multiple of ${after}`
  if (typeof before !== 'number') return [{ type: 'MULTIPLE_OF_ADDED', path: `${path}/multipleOf`, message }]
  if (before % after === 0) return []
  const type = after % before === 0 ? 'MULTIPLE_OF_EXPANDED' : 'MULTIPLE_OF_CHANGED'
  return [{ type, path: `${path}/multipleOf`, message }]
}
