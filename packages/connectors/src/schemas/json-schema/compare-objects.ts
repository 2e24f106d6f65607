import type { Incompatibility } from '../compatibility/incompatibility.ts'
import { compareLimit } from './compare-scalars.ts'
import type { CompareNodes, Sides } from './json-compatibility.ts'
import { isNode, type JsonKeywords, type JsonSchemaNode, nodesOf } from './json-view.ts'

/** Properties, what else may come, what must, and what depends on what. */
export function compareObjects(sides: Sides<JsonKeywords>, path: string, compare: CompareNodes): Incompatibility[] {
  return [
    ...compareRequired(sides, path),
    ...compareProperties(sides, `${path}/properties`, compare),
    ...compareDependencies(sides, `${path}/dependencies`, compare),
    ...compareAdditional(sides, `${path}/additionalProperties`, compare),
    ...compareLimit(sides, path, { keyword: 'maxProperties', name: 'MAX_PROPERTIES', isUpper: true }),
    ...compareLimit(sides, path, { keyword: 'minProperties', name: 'MIN_PROPERTIES', isUpper: false })
  ]
}

/** What an object may have beside its properties: anything (open), nothing (closed), or what a schema says (partially open). */
function contentModel({ additionalProperties, patternProperties }: JsonKeywords): JsonSchemaNode {
  if (additionalProperties === false) return false
  if (isNode(additionalProperties) && additionalProperties !== true) return additionalProperties
  return nodesOf(patternProperties).size === 0
}

/** The schema of a property that is not named; undefined: none says anything about it. */
function covering(keywords: JsonKeywords, property: string): JsonSchemaNode | undefined {
  for (const [pattern, node] of nodesOf(keywords.patternProperties)) {
    if (new RegExp(pattern, 'u').test(property)) return node
  }
  const { additionalProperties } = keywords
  return typeof additionalProperties === 'object' && isNode(additionalProperties) ? additionalProperties : undefined
}

function compareRequired({ older, newer }: Sides<JsonKeywords>, path: string): Incompatibility[] {
  const before = requiredOf(older)
  const known = nodesOf(older.properties)
  const properties = nodesOf(newer.properties)
  return [...requiredOf(newer)].flatMap((name) => {
    const node = properties.get(name)
    if (before.has(name) || !known.has(name) || node === undefined || hasDefault(node)) return []
    const message = `'${name}' is now required, and has no default`
    return [{ type: 'REQUIRED_ATTRIBUTE_ADDED', path: `${path}/required/${name}`, message }]
  })
}

function compareProperties(
  { older, newer }: Sides<JsonKeywords>,
  path: string,
  compare: CompareNodes
): Incompatibility[] {
  const before = nodesOf(older.properties)
  const after = nodesOf(newer.properties)
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const at = `${path}/${name}`
    const old = before.get(name)
    const node = after.get(name)
    if (old !== undefined && node !== undefined) return compare({ older: old, newer: node }, at)
    if (old !== undefined) return removed(name, { old, newer, path: at }, compare)
    return node === undefined ? [] : added(name, { node, older, newer, path: at }, compare)
  })
}

function removed(
  name: string,
  { old, newer, path }: { readonly old: JsonSchemaNode; readonly newer: JsonKeywords; readonly path: string },
  compare: CompareNodes
): Incompatibility[] {
  if (contentModel(newer) === true) return []
  const cover = covering(newer, name)
  if (cover !== undefined) {
    const found = compare({ older: old, newer: cover }, path)
    const message = `'${name}' is gone, and what is said of other properties does not allow all its values`
    const type = 'PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL'
    return found.length === 0 ? [] : [...found, { type, path, message }]
  }
  if (old === false) return []
  const message = `'${name}' is gone, and other properties are not allowed`
  return [{ type: 'PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL', path, message }]
}

interface Added {
  readonly node: JsonSchemaNode
  readonly older: JsonKeywords
  readonly newer: JsonKeywords
  readonly path: string
}

function added(name: string, { node, older, newer, path }: Added, compare: CompareNodes): Incompatibility[] {
  if (contentModel(older) === true) {
    if (isEmpty(node)) return []
    const message = `'${name}' could be anything before, since other properties were allowed`
    return [{ type: 'PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL', path, message }]
  }
  const problems: Incompatibility[] = []
  const cover = covering(older, name)
  const found = cover === undefined ? [] : compare({ older: cover, newer: node }, path)
  if (found.length > 0) {
    const message = `'${name}' does not allow all that was allowed for other properties`
    problems.push(...found, { type: 'PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL', path, message })
  }
  if (requiredOf(newer).has(name) && !hasDefault(node)) {
    const message = `'${name}' is new and required, and has no default`
    problems.push({ type: 'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL', path, message })
  }
  return problems
}

function compareAdditional(
  { older, newer }: Sides<JsonKeywords>,
  path: string,
  compare: CompareNodes
): Incompatibility[] {
  const before = older.additionalProperties ?? true
  const after = newer.additionalProperties ?? true
  if (after === true || !isNode(before) || !isNode(after)) return []
  if (after === false) {
    const message = 'other properties are no longer allowed'
    return before === false ? [] : [{ type: 'ADDITIONAL_PROPERTIES_REMOVED', path, message }]
  }
  if (before === false) return []
  if (before === true) {
    return [{ type: 'ADDITIONAL_PROPERTIES_NARROWED', path, message: 'other properties may no longer be anything' }]
  }
  return compare({ older: before, newer: after }, path)
}

function compareDependencies(
  { older, newer }: Sides<JsonKeywords>,
  path: string,
  compare: CompareNodes
): Incompatibility[] {
  const before = dependenciesOf(older)
  return [...dependenciesOf(newer)].flatMap(([name, after]) => {
    const at = `${path}/${name}`
    const old = before.get(name)
    if (Array.isArray(after)) {
      const was = Array.isArray(old) ? old : []
      const more = after.filter((one) => !was.includes(one))
      if (more.length === 0) return []
      const type =
        old === undefined
          ? 'DEPENDENCY_ARRAY_ADDED'
          : more.length < after.length
            ? 'DEPENDENCY_ARRAY_EXTENDED'
            : 'DEPENDENCY_ARRAY_CHANGED'
      return [{ type, path: at, message: `'${name}' now needs ${more.join(', ')}` }]
    }
    if (!isNode(after)) return []
    if (!isNode(old))
      return [{ type: 'DEPENDENCY_SCHEMA_ADDED', path: at, message: `'${name}' now restricts the object` }]
    return compare({ older: old, newer: after }, at)
  })
}

function dependenciesOf({ dependencies, dependentRequired, dependentSchemas }: JsonKeywords): Map<string, unknown> {
  const all = [dependencies, dependentRequired, dependentSchemas]
  return new Map(all.flatMap((one) => (typeof one === 'object' && one !== null ? Object.entries(one) : [])))
}

function requiredOf({ required }: JsonKeywords): ReadonlySet<string> {
  return new Set(Array.isArray(required) ? required.filter((one) => typeof one === 'string') : [])
}

function hasDefault(node: JsonSchemaNode): boolean {
  return typeof node === 'object' && 'default' in node
}

function isEmpty(node: JsonSchemaNode): boolean {
  return node === true || (typeof node === 'object' && Object.keys(node).length === 0)
}
