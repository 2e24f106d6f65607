import type { Incompatibility } from '../compatibility/incompatibility.ts'
import { compareLimit } from './compare-scalars.ts'
import type { CompareNodes, Sides } from './json-compatibility.ts'
import { isNode, type JsonKeywords, type JsonSchemaNode } from './json-view.ts'

/** Items, how many, and whether they may repeat. */
export function compareArrays(sides: Sides<JsonKeywords>, path: string, compare: CompareNodes): Incompatibility[] {
  const isUniqueNow = sides.newer.uniqueItems === true && sides.older.uniqueItems !== true
  const unique = { type: 'UNIQUE_ITEMS_ADDED', path: `${path}/uniqueItems`, message: 'items may no longer repeat' }
  return [
    ...compareItems({ older: itemsOf(sides.older), newer: itemsOf(sides.newer) }, path, compare),
    ...compareLimit(sides, path, { keyword: 'maxItems', name: 'MAX_ITEMS', isUpper: true }),
    ...compareLimit(sides, path, { keyword: 'minItems', name: 'MIN_ITEMS', isUpper: false }),
    ...(isUniqueNow ? [unique] : [])
  ]
}

/** Schemas of the first items, and of all that follow. */
interface Items {
  readonly first: readonly JsonSchemaNode[]
  readonly rest: JsonSchemaNode
}

/** Draft 2020-12 writes `prefixItems` and `items`, earlier ones a list of `items` and `additionalItems`. */
function itemsOf({ items, prefixItems, additionalItems }: JsonKeywords): Items {
  const isList = Array.isArray(items)
  const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : isList ? items : []
  const rest = isList ? additionalItems : items
  return { first: first.filter(isNode), rest: isNode(rest) ? rest : true }
}

function compareItems({ older, newer }: Sides<Items>, path: string, compare: CompareNodes): Incompatibility[] {
  const found: Incompatibility[] = []
  for (let index = 0; index < Math.max(older.first.length, newer.first.length); index++) {
    const at = `${path}/items/${index}`
    const old = older.first[index]
    const node = newer.first[index]
    if (old !== undefined && node !== undefined) found.push(...compare({ older: old, newer: node }, at))
    else if (old !== undefined) found.push(...removed(old, { rest: newer.rest, path: at }, compare))
    else found.push(...added(node, { rest: older.rest, path: at }, compare))
  }
  return [...found, ...compareRest(older.rest, newer, { path, compare })]
}

interface Beside {
  readonly rest: JsonSchemaNode
  readonly path: string
}

function removed(old: JsonSchemaNode, { rest, path }: Beside, compare: CompareNodes): Incompatibility[] {
  if (rest === true || old === false) return []
  if (rest === false) {
    return [{ type: 'ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL', path, message: 'there may be no item here any more' }]
  }
  const found = compare({ older: old, newer: rest }, path)
  const message = 'the schema of further items does not allow all values of this one'
  const type = 'ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
  return found.length === 0 ? [] : [...found, { type, path, message }]
}

function added(node: JsonSchemaNode, { rest, path }: Beside, compare: CompareNodes): Incompatibility[] {
  if (rest === false || node === true) return []
  if (rest === true) {
    return [{ type: 'ITEM_ADDED_TO_OPEN_CONTENT_MODEL', path, message: 'the item here could be anything before' }]
  }
  const found = compare({ older: rest, newer: node }, path)
  const message = 'the item does not allow all that further items could be'
  const type = 'ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
  return found.length === 0 ? [] : [...found, { type, path, message }]
}

function compareRest(
  before: JsonSchemaNode,
  { first, rest }: Items,
  { path, compare }: { readonly path: string; readonly compare: CompareNodes }
): Incompatibility[] {
  if (rest === true || before === false) return []
  if (first.length === 0 && before === true && typeof rest === 'object') {
    return [{ type: 'SCHEMA_ADDED', path: `${path}/items`, message: 'items could be anything before' }]
  }
  const at = `${path}/${first.length === 0 ? 'items' : 'additionalItems'}`
  if (rest === false) {
    return [{ type: 'ADDITIONAL_ITEMS_REMOVED', path: at, message: 'further items are no longer allowed' }]
  }
  if (before === true) {
    return [{ type: 'ADDITIONAL_ITEMS_NARROWED', path: at, message: 'further items may no longer be anything' }]
  }
  return compare({ older: before, newer: rest }, at)
}
