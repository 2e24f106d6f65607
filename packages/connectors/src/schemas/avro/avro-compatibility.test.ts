import { describe, expect, it } from 'vitest'
import { avroIncompatibilities } from './avro-compatibility.ts'
import { parseAvro } from './parse-avro.ts'

const read = (schema: unknown) => parseAvro(JSON.stringify(schema)).type
const record = (fields: readonly unknown[], more: object = {}) => ({ type: 'record', name: 'R', fields, ...more })
const field = (type: unknown, more: object = {}) => ({ name: 'a', type, ...more })
const symbols = (...names: string[]) => ({ type: 'enum', name: 'E', symbols: names })
const fixed = (size: number, more: object = {}) => ({ type: 'fixed', name: 'F', size, ...more })

/** What the reader cannot do: `type path` each. */
function verdict(reader: unknown, writer: unknown): string[] {
  return avroIncompatibilities(read(reader), read(writer)).map(({ type, path }) => `${type} ${path}`)
}

const primitives = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
const promotions = new Set(['int>long', 'int>float', 'int>double', 'long>float', 'long>double', 'float>double'])
promotions.add('string>bytes').add('bytes>string')

describe('primitives', () => {
  it.each(primitives.flatMap((writer) => primitives.map((reader) => [writer, reader])))(
    '%s read as %s',
    (writer, reader) => {
      const isReadable = writer === reader || promotions.has(`${writer}>${reader}`)
      expect(verdict(reader, writer)).toEqual(isReadable ? [] : ['TYPE_MISMATCH /'])
    }
  )
})

interface Row {
  readonly what: string
  readonly older: unknown
  readonly newer: unknown
  /** The newer one reads data of the older one. */
  readonly backward?: readonly string[]
  /** The older one reads data of the newer one. */
  readonly forward?: readonly string[]
}

const table: readonly Row[] = [
  {
    what: 'a field added without default',
    older: record([]),
    newer: record([field('int')]),
    backward: ['READER_FIELD_MISSING_DEFAULT_VALUE /fields/0']
  },
  { what: 'a field added with default', older: record([]), newer: record([field('int', { default: 1 })]) },
  {
    what: 'a field added with default null',
    older: record([]),
    newer: record([field(['null', 'int'], { default: null })])
  },
  {
    what: 'a field whose enum alone has a default',
    older: record([]),
    newer: record([field({ ...symbols('A'), default: 'A' })]),
    backward: ['READER_FIELD_MISSING_DEFAULT_VALUE /fields/0']
  },
  {
    what: 'a field renamed with an alias',
    older: record([{ name: 'b', type: 'int' }]),
    newer: record([field('int', { aliases: ['b'] })]),
    forward: ['READER_FIELD_MISSING_DEFAULT_VALUE /fields/0']
  },
  {
    what: 'a field of a wider type',
    older: record([field('int')]),
    newer: record([field('double')]),
    forward: ['TYPE_MISMATCH /fields/0/type']
  },
  {
    what: 'a branch added to a union',
    older: record([field(['null', 'int'])]),
    newer: record([field(['null', 'int', 'string'])]),
    forward: ['MISSING_UNION_BRANCH /fields/0/type/2']
  },
  {
    what: 'a type made a union of itself and null',
    older: record([field('string')]),
    newer: record([field(['null', 'string'])]),
    forward: ['TYPE_MISMATCH /fields/0/type/0']
  },
  {
    what: 'a union of other branches',
    older: ['int', 'boolean'],
    newer: ['string', 'long'],
    backward: ['MISSING_UNION_BRANCH /1'],
    forward: ['MISSING_UNION_BRANCH /0', 'MISSING_UNION_BRANCH /1']
  },
  { what: 'branches in another order', older: ['int', 'string'], newer: ['string', 'int'] },
  {
    what: 'a union read as a type that not all its branches are',
    older: ['int', 'float', 'string'],
    newer: 'double',
    backward: ['TYPE_MISMATCH /2'],
    forward: ['MISSING_UNION_BRANCH /']
  },
  {
    what: 'a symbol added to an enum',
    older: symbols('A'),
    newer: symbols('A', 'B'),
    forward: ['MISSING_ENUM_SYMBOLS /symbols']
  },
  {
    what: 'a symbol added to an enum with a default',
    older: { ...symbols('A'), default: 'A' },
    newer: symbols('A', 'B')
  },
  {
    what: 'an enum of another name',
    older: symbols('A'),
    newer: { ...symbols('A'), name: 'G' },
    backward: ['NAME_MISMATCH /name'],
    forward: ['NAME_MISMATCH /name']
  },
  {
    what: 'a fixed of another size and name',
    older: fixed(2),
    newer: fixed(3, { name: 'G' }),
    backward: ['NAME_MISMATCH /name', 'FIXED_SIZE_MISMATCH /size'],
    forward: ['NAME_MISMATCH /name', 'FIXED_SIZE_MISMATCH /size']
  },
  { what: 'another namespace', older: record([]), newer: record([], { namespace: 'com.acme' }) },
  {
    what: 'another name with an alias',
    older: record([], { namespace: 'n' }),
    newer: record([], { namespace: 'n', name: 'S', aliases: ['R'] }),
    forward: ['NAME_MISMATCH /name']
  },
  {
    what: 'an array of other items within a map',
    older: { type: 'map', values: { type: 'array', items: 'int' } },
    newer: { type: 'map', values: { type: 'array', items: 'long' } },
    forward: ['TYPE_MISMATCH /values/items']
  },
  {
    what: 'a record in place of a map',
    older: { type: 'map', values: 'int' },
    newer: record([]),
    backward: ['TYPE_MISMATCH /'],
    forward: ['TYPE_MISMATCH /']
  },
  {
    what: 'a list that refers to itself',
    older: record([field('int'), { name: 'next', type: ['null', 'R'], default: null }]),
    newer: record([field('long'), { name: 'next', type: ['null', 'R'], default: null }]),
    forward: ['TYPE_MISMATCH /fields/0/type']
  }
]

describe('evolution', () => {
  it.each(table)('$what', ({ older, newer, backward = [], forward = [] }) => {
    expect(verdict(newer, older), 'backward').toEqual(backward)
    expect(verdict(older, newer), 'forward').toEqual(forward)
  })

  it('says in words which branch is lacking', () => {
    const [found] = avroIncompatibilities(
      read(record([field(['null', 'int'])])),
      read(record([field(['null', 'string'])]))
    )
    expect(found).toEqual({
      type: 'MISSING_UNION_BRANCH',
      path: '/fields/0/type/1',
      message: 'reader union lacks writer branch string'
    })
  })
})
