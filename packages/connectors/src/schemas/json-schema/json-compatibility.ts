import type { Incompatibility } from '../compatibility/incompatibility.ts'
import { compareArrays } from './compare-arrays.ts'
import { compareObjects } from './compare-objects.ts'
import { compareNumbers, compareStrings } from './compare-scalars.ts'
import { type FollowRef, type JsonSchemaNode, type JsonView, targetOf, viewOf } from './json-view.ts'

/** Two sides of a comparison: data of `older` is read with `newer`. */
export interface Sides<T> {
  readonly older: T
  readonly newer: T
}

/** Compares two schemas below; `path` begins with `#`. */
export type CompareNodes = (sides: Sides<JsonSchemaNode>, path: string) => Incompatibility[]

/**
 * Why documents that `older` allows may not be allowed by `newer`, by Confluent's rules and under its names. It looks at what changed, not at all
 * documents: properties may be added where the older schema allowed no others (a closed content model), and removed where the newer one allows
 * any (an open one). Empty: compatible.
 */
export function jsonIncompatibilities(schemas: Sides<JsonSchemaNode>, follow: Sides<FollowRef>): Incompatibility[] {
  const underWay = new Map<JsonSchemaNode, Set<JsonSchemaNode>>()
  const compare: CompareNodes = (sides, path) => {
    const older = targetOf(sides.older, follow.older)
    const newer = targetOf(sides.newer, follow.newer)
    const seen = underWay.get(older) ?? new Set()
    // A recursive schema: what is being compared already is taken to be compatible.
    if (typeof older === 'object' && seen.has(newer)) return []
    underWay.set(older, seen.add(newer))
    const views = { older: viewOf(older), newer: viewOf(newer) }
    const found = compareViews(views, { older, newer }, { path, compare })
    seen.delete(newer)
    return found
  }
  return compare(schemas, '#')
}

interface At {
  readonly path: string
  readonly compare: CompareNodes
}

function compareViews(views: Sides<JsonView>, nodes: Sides<JsonSchemaNode>, { path, compare }: At): Incompatibility[] {
  const { older, newer } = views
  if (older.kind === 'combined' && newer.kind === 'combined') return compareCombined(older, newer, { path, compare })
  if (newer.kind === 'combined' && (newer.parts.length === 1 || newer.criterion !== 'allOf')) {
    if (newer.parts.some((part) => compare({ older: nodes.older, newer: part }, path).length === 0)) return []
  }
  if (older.kind === 'combined' && older.parts.length === 1) {
    const found = compare({ older: older.parts[0], newer: nodes.newer }, path)
    if (found.length === 0) return []
  }
  if (older.kind === 'nothing' || newer.kind === 'anything') return []
  if (older.kind === 'enum' && newer.kind === 'enum') return compareEnums(older.values, newer.values, path)
  if (older.kind === 'not' && newer.kind === 'not') {
    const reversed = compare({ older: newer.inner, newer: older.inner }, `${path}/not`)
    return reversed.length === 0
      ? []
      : [found('NOT_TYPE_EXTENDED', path, 'what is forbidden is more, or something else')]
  }
  if (older.kind !== newer.kind) return [found('TYPE_CHANGED', path, `the type was ${older.kind} and is ${newer.kind}`)]
  if (!('keywords' in older) || !('keywords' in newer)) return []
  const keywords = { older: older.keywords, newer: newer.keywords }
  switch (older.kind) {
    case 'string':
      return compareStrings(keywords, path)
    case 'number':
      return compareNumbers(keywords, path)
    case 'object':
      return compareObjects(keywords, path, compare)
    case 'array':
      return compareArrays(keywords, path, compare)
    default:
      return []
  }
}

function compareEnums(older: readonly unknown[], newer: readonly unknown[], path: string): Incompatibility[] {
  const values = new Set(newer.map((value) => JSON.stringify(value)))
  const before = new Set(older.map((value) => JSON.stringify(value)))
  const missing = [...before].filter((value) => !values.has(value))
  if (missing.length === 0) return []
  const type = [...values].every((value) => before.has(value)) ? 'ENUM_ARRAY_NARROWED' : 'ENUM_ARRAY_CHANGED'
  return [found(type, `${path}/enum`, `it no longer has ${missing.join(', ')}`)]
}

type Combined = Extract<JsonView, { readonly kind: 'combined' }>

function compareCombined(older: Combined, newer: Combined, { path, compare }: At): Incompatibility[] {
  if (!mayBecome(older, newer)) {
    return [found('COMBINED_TYPE_CHANGED', path, `it was ${older.criterion} and is ${newer.criterion}`)]
  }
  const before = distinct(older.parts)
  const after = distinct(newer.parts)
  const problems: Incompatibility[] = []
  const isProduct = newer.criterion === 'allOf'
  if (isProduct && before.length < after.length) {
    problems.push(found('PRODUCT_TYPE_EXTENDED', path, 'allOf demands more than before'))
  }
  if (!isProduct && before.length > after.length) {
    problems.push(found('SUM_TYPE_NARROWED', path, `${newer.criterion} has fewer choices than before`))
  }
  const readable = before.map((part, index) => {
    const partPath = `${path}/${older.criterion}/${index}`
    return after.flatMap((other, at) => (compare({ older: part, newer: other }, partPath).length === 0 ? [at] : []))
  })
  if (matched(readable) < Math.min(before.length, after.length)) {
    const message = `not each choice of ${older.criterion} has one of its own that reads it`
    problems.push(found('COMBINED_TYPE_SUBSCHEMAS_CHANGED', path, message))
  }
  return problems
}

/** Whether what is put together in one way may be put together in the other. */
function mayBecome(older: Combined, newer: Combined): boolean {
  if (older.criterion === newer.criterion || newer.criterion === 'anyOf') return true
  const wasOne = older.parts.length === 1
  return newer.criterion === 'oneOf' ? wasOne : wasOne && newer.parts.length === 1
}

function distinct(parts: readonly JsonSchemaNode[]): JsonSchemaNode[] {
  return [...new Map(parts.map((part) => [JSON.stringify(part), part])).values()]
}

/** How many of the left get a partner of their own on the right: augmenting paths. */
function matched(partners: readonly (readonly number[])[]): number {
  const taken = new Map<number, number>()
  const place = (left: number, tried: Set<number>): boolean =>
    partners[left].some((right) => {
      if (tried.has(right)) return false
      tried.add(right)
      const holder = taken.get(right)
      if (holder !== undefined && !place(holder, tried)) return false
      taken.set(right, left)
      return true
    })
  return partners.filter((_, left) => place(left, new Set())).length
}

function found(type: string, path: string, message: string): Incompatibility {
  return { type, path, message }
}
