/** JSON schema as it is written: true, false or keywords. */
export type JsonSchemaNode = boolean | JsonKeywords

/** Keywords of a schema. */
export interface JsonKeywords {
  readonly [keyword: string]: unknown
}

/** How schemas are put together. */
export type Criterion = 'allOf' | 'anyOf' | 'oneOf'

/** A schema seen as one thing: several keywords that each restrict are an `allOf` of what each says. */
export type JsonView =
  | { readonly kind: 'anything' }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'combined'; readonly criterion: Criterion; readonly parts: readonly JsonSchemaNode[] }
  | { readonly kind: 'not'; readonly inner: JsonSchemaNode }
  | { readonly kind: 'enum'; readonly values: readonly unknown[] }
  | { readonly kind: JsonKind; readonly keywords: JsonKeywords }

/** The types of JSON; integers are numbers. */
export type JsonKind = 'string' | 'number' | 'object' | 'array' | 'boolean' | 'null'

/** Follows a `$ref`. Undefined: it leads nowhere. */
export type FollowRef = (ref: string, from: JsonSchemaNode) => JsonSchemaNode | undefined

const CRITERIA = ['allOf', 'anyOf', 'oneOf'] as const
const KEYWORDS: Readonly<Record<JsonKind, readonly string[]>> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  object: [
    ...['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'maxProperties'],
    ...['dependencies', 'dependentRequired', 'dependentSchemas', 'propertyNames']
  ],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems', 'contains'],
  boolean: [],
  null: []
}
const KINDS = ['string', 'number', 'object', 'array', 'boolean', 'null'] as const

/** What a chain of references ends at; a reference that leads nowhere, or to itself, says nothing. */
export function targetOf(node: JsonSchemaNode, follow: FollowRef): JsonSchemaNode {
  const passed = new Set<JsonSchemaNode>()
  let at: JsonSchemaNode | undefined = node
  while (typeof at === 'object' && typeof at.$ref === 'string') {
    if (passed.has(at)) return true
    passed.add(at)
    at = follow(at.$ref, at)
  }
  return at ?? true
}

/** What a schema is that is no reference. */
export function viewOf(node: JsonSchemaNode): JsonView {
  if (node === true) return { kind: 'anything' }
  if (node === false) return { kind: 'nothing' }
  const views = [...partsOf(node)]
  if (views.length === 0) return { kind: 'anything' }
  const [view] = views
  if (views.length === 1) return view
  return { kind: 'combined', criterion: 'allOf', parts: views.map(nodeOf) }
}

function* partsOf(node: JsonKeywords): Generator<JsonView> {
  const types = Array.isArray(node.type) ? node.type : node.type === undefined ? [] : [node.type]
  if (types.length > 1) {
    yield { kind: 'combined', criterion: 'anyOf', parts: types.map((type) => ({ ...node, ...noCombination, type })) }
  } else {
    const typed =
      types.length === 1 ? kindOf(types[0]) : KINDS.find((kind) => KEYWORDS[kind].some((word) => word in node))
    if (typed !== undefined) yield { kind: typed, keywords: { ...node, ...noCombination } }
  }
  if (Array.isArray(node.enum)) yield { kind: 'enum', values: node.enum }
  if ('const' in node) yield { kind: 'enum', values: [node.const] }
  if (isNode(node.not)) yield { kind: 'not', inner: node.not }
  for (const criterion of CRITERIA) {
    const parts = node[criterion]
    if (Array.isArray(parts)) yield { kind: 'combined', criterion, parts: parts.filter(isNode) }
  }
}

/** What is taken out of a node that stands for its type alone. */
const noCombination = { enum: undefined, not: undefined, allOf: undefined, anyOf: undefined, oneOf: undefined }

/** A view as a schema again. */
function nodeOf(view: JsonView): JsonSchemaNode {
  switch (view.kind) {
    case 'anything':
      return true
    case 'nothing':
      return false
    case 'combined':
      return { [view.criterion]: view.parts }
    case 'not':
      return { not: view.inner }
    case 'enum':
      return { enum: view.values }
    default: {
      const { const: _, ...keywords } = view.keywords
      return { type: view.kind, ...keywords }
    }
  }
}

function kindOf(type: unknown): JsonKind | undefined {
  return type === 'integer' ? 'number' : KINDS.find((kind) => kind === type)
}

/** Whether JSON may be a schema. */
export function isNode(value: unknown): value is JsonSchemaNode {
  return typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value))
}

/** The schemas of a keyword that has one for each name. */
export function nodesOf(value: unknown): ReadonlyMap<string, JsonSchemaNode> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return new Map(entries.filter((entry): entry is [string, JsonSchemaNode] => isNode(entry[1])))
}
