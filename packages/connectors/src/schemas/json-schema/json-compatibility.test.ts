import { describe, expect, it } from 'vitest'
import { JsonSchema } from './json-schema.ts'

const read = (schema: unknown, references: Readonly<Record<string, unknown>> = {}) =>
  new JsonSchema({
    text: { schemaType: 'JSON', schema: JSON.stringify(schema), references: [] },
    resolved: Object.entries(references).map(([name, one]) => ({ name, schema: JSON.stringify(one) }))
  })

/** What keeps the newer schema from reading documents of the older: `type path` each. */
function verdict(older: unknown, newer: unknown): string[] {
  return read(newer)
    .incompatibilitiesWith(read(older))
    .map(({ type, path }) => `${type} ${path}`)
}

const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
const a = { a: { type: 'string' } }
const ab = { ...a, b: { type: 'integer' } }
const closed = { additionalProperties: false }
const texts = { additionalProperties: { type: 'string' } }

/** What, older, newer, and what is incompatible: nothing when it is missing. */
const table: readonly (readonly [string, unknown, unknown, ...string[]])[] = [
  ['the same', object(a), object(a)],
  [
    'an optional property added to an open model',
    object(a),
    object(ab),
    'PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL #/properties/b'
  ],
  ['a property of any value added to an open model', object(a), object({ ...a, b: {} })],
  ['an optional property added to a closed model', object(a, closed), object(ab, closed)],
  [
    'a required property added to a closed model',
    object(a, closed),
    object(ab, { ...closed, required: ['b'] }),
    'REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL #/properties/b'
  ],
  [
    'a required property with default added to a closed model',
    object(a, closed),
    object({ ...a, b: { type: 'integer', default: 0 } }, { ...closed, required: ['b'] })
  ],
  [
    'a property added that a partially open model does not cover',
    object(a, texts),
    object(ab, texts),
    'TYPE_CHANGED #/properties/b',
    'PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL #/properties/b'
  ],
  ['a property added that a partially open model covers', object({}, texts), object(a, texts)],
  ['a property removed from an open model', object(ab), object(a)],
  [
    'a property removed from a closed model',
    object(ab, closed),
    object(a, closed),
    'PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL #/properties/b'
  ],
  ['a forbidden property removed from a closed model', object({ ...a, b: false }, closed), object(a, closed)],
  ['a property made required', object(a), object(a, { required: ['a'] }), 'REQUIRED_ATTRIBUTE_ADDED #/required/a'],
  ['a property made optional', object(a, { required: ['a'] }), object(a)],
  ['a model opened', object(a, closed), object(a)],
  ['a model closed', object(a), object(a, closed), 'ADDITIONAL_PROPERTIES_REMOVED #/additionalProperties'],
  ['a model partially closed', object(a), object(a, texts), 'ADDITIONAL_PROPERTIES_NARROWED #/additionalProperties'],
  ['an integer made a number', { type: 'integer' }, { type: 'number' }],
  ['a number made an integer', { type: 'number' }, { type: 'integer' }, 'TYPE_NARROWED #'],
  ['text made a number', object(a), object({ a: { type: 'number' } }), 'TYPE_CHANGED #/properties/a'],
  ['a type made one of two', { type: 'string' }, { type: ['string', 'null'] }],
  ['a type made one of oneOf', { type: 'string' }, { oneOf: [{ type: 'null' }, { type: 'string' }] }],
  ['one of two types taken away', { type: ['string', 'null'] }, { type: 'string' }, 'TYPE_CHANGED #'],
  ['a choice added', { oneOf: [{ type: 'null' }] }, { oneOf: [{ type: 'null' }, { type: 'string' }] }],
  [
    'a choice taken away',
    { oneOf: [{ type: 'null' }, { type: 'string' }] },
    { oneOf: [{ type: 'null' }] },
    'SUM_TYPE_NARROWED #'
  ],
  [
    'a choice that became another',
    { anyOf: [{ type: 'null' }, { type: 'string' }] },
    { anyOf: [{ type: 'null' }, { type: 'boolean' }] },
    'COMBINED_TYPE_SUBSCHEMAS_CHANGED #'
  ],
  [
    'a demand added',
    { allOf: [{ type: 'string' }] },
    { allOf: [{ type: 'string' }, { minLength: 1 }] },
    'PRODUCT_TYPE_EXTENDED #'
  ],
  [
    'anyOf made oneOf',
    { anyOf: [{ type: 'null' }, { type: 'string' }] },
    { oneOf: [{ type: 'null' }, { type: 'string' }] },
    'COMBINED_TYPE_CHANGED #'
  ],
  [
    'oneOf made anyOf',
    { oneOf: [{ type: 'null' }, { type: 'string' }] },
    { anyOf: [{ type: 'string' }, { type: 'null' }] }
  ],
  ['a symbol added', { enum: ['x'] }, { enum: ['x', 'y'] }],
  ['a symbol taken away', { enum: ['x', 'y'] }, { enum: ['x'] }, 'ENUM_ARRAY_NARROWED #/enum'],
  ['symbols exchanged', { enum: ['x'] }, { enum: ['y'] }, 'ENUM_ARRAY_CHANGED #/enum'],
  ['a longer text', { type: 'string', maxLength: 3 }, { type: 'string', maxLength: 4 }],
  [
    'a shorter text',
    { type: 'string', maxLength: 4 },
    { type: 'string', maxLength: 3 },
    'MAX_LENGTH_DECREASED #/maxLength'
  ],
  ['a new least length', { type: 'string' }, { type: 'string', minLength: 1 }, 'MIN_LENGTH_ADDED #/minLength'],
  ['a pattern', { type: 'string' }, { type: 'string', pattern: 'x' }, 'PATTERN_ADDED #/pattern'],
  ['another pattern', { type: 'string', pattern: 'y' }, { type: 'string', pattern: 'x' }, 'PATTERN_CHANGED #/pattern'],
  ['a greater least', { type: 'number', minimum: 1 }, { type: 'number', minimum: 2 }, 'MINIMUM_INCREASED #/minimum'],
  ['a bound taken away', { type: 'number', exclusiveMaximum: 1 }, { type: 'number' }],
  ['multiples of less', { type: 'number', multipleOf: 4 }, { type: 'number', multipleOf: 2 }],
  [
    'multiples of more',
    { type: 'number', multipleOf: 2 },
    { type: 'number', multipleOf: 4 },
    'MULTIPLE_OF_EXPANDED #/multipleOf'
  ],
  [
    'items of a wider type',
    { type: 'array', items: { type: 'integer' } },
    { type: 'array', items: { type: 'number' } }
  ],
  [
    'items of another type',
    { type: 'array', items: { type: 'integer' } },
    { type: 'array', items: { type: 'string' } },
    'TYPE_CHANGED #/items'
  ],
  ['items restricted', { type: 'array' }, { type: 'array', items: { type: 'string' } }, 'SCHEMA_ADDED #/items'],
  [
    'an item added to an open tuple',
    { type: 'array', items: [{ type: 'string' }] },
    { type: 'array', items: [{ type: 'string' }, { type: 'string' }] },
    'ITEM_ADDED_TO_OPEN_CONTENT_MODEL #/items/1'
  ],
  [
    'an item added to a closed tuple',
    { type: 'array', items: [{ type: 'string' }], additionalItems: false },
    { type: 'array', items: [{ type: 'string' }, { type: 'string' }], additionalItems: false }
  ],
  [
    'items that may not repeat',
    { type: 'array' },
    { type: 'array', uniqueItems: true },
    'UNIQUE_ITEMS_ADDED #/uniqueItems'
  ],
  ['less forbidden', { not: { type: 'number' } }, { not: { type: 'integer' } }],
  ['more forbidden', { not: { type: 'integer' } }, { not: { type: 'number' } }, 'NOT_TYPE_EXTENDED #'],
  ['a dependency', object(a), object(a, { dependencies: { a: ['b'] } }), 'DEPENDENCY_ARRAY_ADDED #/dependencies/a'],
  ['anything instead', object(a), true],
  ['nothing before', false, object(a)],
  ['a title', object(a), object(a, { title: 'A', description: 'an a' })]
]

describe('evolution', () => {
  it.each(table)('%s', (_what, older, newer, ...incompatible) => {
    expect(verdict(older, newer)).toEqual(incompatible)
  })

  it('follows references, also of schemas that refer to themselves', () => {
    const list = (item: string) => ({
      $ref: '#/definitions/node',
      definitions: {
        node: object({ item: { type: item }, next: { $ref: '#/definitions/node' } }, closed)
      }
    })
    expect(verdict(list('integer'), list('number'))).toEqual([])
    expect(verdict(list('number'), list('integer'))).toEqual(['TYPE_NARROWED #/properties/item'])
  })

  it('follows references to other documents', () => {
    const person = (type: string) => read({ $ref: 'other.json' }, { 'other.json': { type } })
    expect(person('number').incompatibilitiesWith(person('integer'))).toEqual([])
    expect(person('string').incompatibilitiesWith(person('integer'))).toMatchObject([
      { type: 'TYPE_CHANGED', path: '#' }
    ])
  })
})

describe('a JSON schema', () => {
  it('is refused when it is against the rules of its draft', () => {
    expect(() => read({ type: 'strin' })).toThrow(expect.objectContaining({ code: 'CONNECTORS_SCHEMA_INVALID' }))
    expect(() => read({ $ref: '#/nowhere' })).toThrow(/nowhere/)
    expect(() => read({ $schema: 'http://json-schema.org/draft-04/schema#' })).toThrow(/draft 6, 7/)
  })

  it.each([
    'http://json-schema.org/draft-06/schema#',
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema'
  ])('judges documents by %s', ($schema) => {
    const { validate } = read({ $schema, ...object(ab) })
    expect(validate({ a: 'x', b: 1 })).toEqual([])
    expect(validate({ a: 'x', b: 'y' })).toEqual([{ path: '$.b', message: 'must be integer' }])
  })
})
