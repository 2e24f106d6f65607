import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { z } from 'zod'
import { defineTopology } from '../dsl/define-topology.ts'
import { skip } from '../task/error-policy.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import { type AvroSchema, avro } from './avro.ts'
import { json } from './json.ts'
import { list } from './list.ts'
import { schema } from './schema.ts'
import type { Serde } from './serde.ts'
import { string } from './string.ts'
import { versioned } from './versioned.ts'

interface Order {
  id: string
  lines: { item: string; pieces: number }[]
}

const validators: readonly (readonly [string, Serde<Order>])[] = [
  ['zod', schema(z.object({ id: z.string(), lines: z.array(z.object({ item: z.string(), pieces: z.number() })) }))],
  ['valibot', schema(v.object({ id: v.string(), lines: v.array(v.object({ item: v.string(), pieces: v.number() })) }))],
  ['arktype', schema(type({ id: 'string', lines: type({ item: 'string', pieces: 'number' }).array() }))]
]

function read<T>(serde: Serde<T>, value: unknown): T {
  const bytes = Buffer.from(JSON.stringify(value))
  return serde.decode(bytes, 0, bytes.length)
}

describe.each(validators)('schema() with %s', (vendor, serde) => {
  it('reads what is right', () => {
    const order = { id: 'o1', lines: [{ item: 'tea', pieces: 2 }] }
    expect(read(serde, JSON.parse(serde.encode(order).toString()))).toEqual(order)
  })

  it('names the path of what is wrong', () => {
    const wrong = {
      id: 'o1',
      lines: [
        { item: 'tea', pieces: 2 },
        { item: 'rye', pieces: 'two' }
      ]
    }
    expect(() => read(serde, wrong)).toThrow(`schema(${vendor}) refuses the value: $.lines[1].pieces: `)
    expect(() => read(serde, {})).toThrow('$.id')
  })

  it('leaves bad input to the policy', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('orders', { key: string(), value: serde })
        .mapValues(({ id }) => id, { value: string() })
        .to('ids')
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { deserialization: skip() } })
    const orders = driver.input('orders', { key: string(), value: json() })
    await orders.pipe('k', { id: 7, lines: [] }, 0)
    await orders.pipe('k', { id: 'o2', lines: [] }, 0)
    expect(driver.output('ids').readValues()).toEqual(['o2'])
    expect(driver.skipped()[0].cause).toMatchObject({ code: 'STREAMS_SCHEMA', issues: [{ path: '$.id' }] })
  })
})

it('reads what a schema makes of the JSON', () => {
  const serde = schema(z.object({ at: z.coerce.date() }))
  expectTypeOf(serde).toEqualTypeOf<Serde<{ at: Date }>>()
  const at = new Date(1_000)
  expect(read(serde, { at })).toEqual({ at })
})

it('refuses a schema that validates asynchronously', () => {
  const serde = schema(z.string().refine(async (text) => text !== ''))
  expect(() => read(serde, 'x')).toThrow('asynchronously')
})

describe('avro()', () => {
  const first: AvroSchema = {
    type: 'record',
    name: 'User',
    fields: [
      { name: 'name', type: 'string' },
      { name: 'age', type: 'int' }
    ]
  }
  const second: AvroSchema = {
    type: 'record',
    name: 'User',
    fields: [
      { name: 'name', type: 'string' },
      { name: 'mail', type: ['null', 'string'], default: null }
    ]
  }

  it('writes with one schema and reads with another', () => {
    const bytes = avro<{ name: string; age: number }>(first).encode({ name: 'Ada', age: 36 })
    expect(bytes.toString('latin1')).toBe('\x06Ada\x48')
    expect(avro(first).decode(bytes, 0, bytes.length)).toEqual({ name: 'Ada', age: 36 })
    const reading = avro<{ name: string; mail: string | null }>(first, { reader: second })
    expect(reading.decode(Buffer.concat([Buffer.of(1), bytes]), 1, 1 + bytes.length)).toEqual({
      name: 'Ada',
      mail: null
    })
  })

  it('names the path of what is not of the schema, and what cannot be read', () => {
    const serde = avro<unknown>(first)
    expect(() => serde.encode({ name: 5n, age: 5 })).toThrow('$.name: 5n is no string')
    expect(() => serde.encode({ name: 'Ada', age: 5n })).toThrow(/avro cannot encode/)
    expect(() => serde.encode({ name: 'Ada', age: 'old' })).toThrow('$.age: "old" is no int')
    const nested = avro<unknown>({ type: 'array', items: { type: 'map', values: 'int' } })
    expect(() => nested.encode([{}, { a: 1, b: 'x' }])).toThrow('$[1].b: "x" is no int')
    expect(() => serde.decode(Buffer.of(6, 65), 0, 2)).toThrow('avro cannot decode')
    expect(() => avro(first, { reader: { type: 'array', items: 'string' } })).toThrow('avro cannot decode')
  })
})

describe('versioned()', () => {
  const v1 = versioned(json<{ name: string }>())
  const v3 = v1
    .next(json<{ names: string[] }>(), ({ name }) => ({ names: [name] }))
    .next(json<{ names: string[]; count: number }>(), ({ names }) => ({ names, count: names.length }))

  it('upgrades what an older program wrote', () => {
    const old = v1.encode({ name: 'Ada' })
    expect(v3.decode(old, 0, old.length)).toEqual({ names: ['Ada'], count: 1 })
    const own = v3.encode({ names: [], count: 0 })
    expect(own[0]).toBe(3)
    expect(v3.decode(own, 0, own.length)).toEqual({ names: [], count: 0 })
  })

  it('refuses what a newer one wrote', () => {
    const bytes = v3.encode({ names: [], count: 0 })
    expect(() => v1.decode(bytes, 0, bytes.length)).toThrow('of version 3, this program knows 1 to 1')
    expect(() => v1.decode(bytes, 0, 0)).toThrow('of version 0')
  })
})

describe('list()', () => {
  it('keeps elements of any length', () => {
    const serde = list(string())
    const bytes = serde.encode(['', 'a', 'bcd'])
    expect(serde.decode(bytes, 0, bytes.length)).toEqual(['', 'a', 'bcd'])
    expect(() => serde.decode(bytes, 0, bytes.length - 1)).toThrow('element 2 is cut off')
    expect(() => serde.decode(bytes, 0, 3)).toThrow('element 0 is cut off')
  })
})
