import { describe, expect, it } from 'vitest'
import { canonicalAvro } from './canonical-avro.ts'
import { parseAvro } from './parse-avro.ts'

const record = (...fields: unknown[]) => ({ type: 'record', name: 'R', fields })
const canonical = (schema: unknown, options: Parameters<typeof canonicalAvro>[1] = {}) =>
  canonicalAvro(parseAvro(JSON.stringify(schema)).type, options)

describe('a schema that is none', () => {
  it.each([
    ['a name that is not defined', ['null', 'Missing'], '/1'],
    ['a union in a union', ['null', ['int']], '/1'],
    ['a union with a type twice', ['int', 'string', 'int'], '/2'],
    ['a type defined twice', record({ name: 'a', type: record() }), '/fields/0/type'],
    ['two fields of a name', record({ name: 'a', type: 'int' }, { name: 'a', type: 'int' }), '/fields/1'],
    ['a field without type', record({ name: 'a' }), '/fields/0'],
    ['a name that is none', { ...record(), name: '1st' }, '/name'],
    ['a default of another type', record({ name: 'a', type: 'int', default: 'x' }), '/fields/0/default'],
    ['a default out of range', record({ name: 'a', type: 'int', default: 2 ** 31 }), '/fields/0/default'],
    ['a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }, '/symbols/1'],
    ['a default that is no symbol', { type: 'enum', name: 'E', symbols: ['A'], default: 'B' }, '/default'],
    ['a size that is none', { type: 'fixed', name: 'F', size: '3' }, '/size'],
    ['items that are none', { type: 'array', items: { type: 'map' } }, '/items']
  ])('is refused with its path: %s', (_what, schema, path) => {
    expect(() => parseAvro(JSON.stringify(schema))).toThrow(
      expect.objectContaining({ code: 'CONNECTORS_SCHEMA_INVALID', path })
    )
  })

  it('is read all the same when only a default is wrong, and defaults are not to be checked', () => {
    const schema = JSON.stringify(record({ name: 'a', type: 'int', default: 'x' }))
    expect(canonicalAvro(parseAvro(schema, { checkDefaults: false }).type)).toBe(schema)
  })
})

describe('the canonical text', () => {
  it('is the same for other spellings', () => {
    const inner = { type: 'enum', name: 'E', symbols: ['A'] }
    const one = {
      type: 'record',
      name: 'R',
      namespace: 'n',
      fields: [
        { name: 'e', type: inner },
        { name: 'f', type: 'E' }
      ]
    }
    const other = {
      fields: [
        { type: { symbols: ['A'], name: 'n.E', type: 'enum' }, name: 'e' },
        { type: 'n.E', name: 'f' }
      ],
      name: 'n.R',
      type: 'record'
    }
    expect(canonical(other)).toBe(canonical(one))
    expect(canonical(one)).toBe(JSON.stringify(one))
    expect(parseAvro('string').type).toEqual(parseAvro('"string"').type)
  })

  it('writes names in full and attributes in order when it normalizes', () => {
    const schema = {
      type: 'record',
      name: 'R',
      namespace: 'n',
      zeta: 1,
      alpha: 2,
      fields: [{ name: 'r', type: ['null', 'R'] }]
    }
    expect(canonical(schema, { normalize: true })).toBe(
      '{"type":"record","name":"n.R","fields":[{"name":"r","type":["null","n.R"]}],"alpha":2,"zeta":1}'
    )
  })

  it('leaves out what references define', () => {
    const address = JSON.stringify({ type: 'record', name: 'Address', namespace: 'n', fields: [] })
    const parsed = parseAvro(JSON.stringify(record({ name: 'home', type: 'n.Address' })), { references: [address] })
    expect(canonicalAvro(parsed.type, { known: parsed.referenced.keys() })).toBe(
      '{"type":"record","name":"R","fields":[{"name":"home","type":"n.Address"}]}'
    )
  })
})
