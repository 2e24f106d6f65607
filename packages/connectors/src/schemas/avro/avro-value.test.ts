import { describe, expect, expectTypeOf, it } from 'vitest'
import { AvroCodec } from './avro-codec.ts'
import type { AvroValue } from './avro-value.ts'

const codecOf = (schema: unknown) =>
  new AvroCodec({ text: { schemaType: 'AVRO', schema: JSON.stringify(schema), references: [] }, resolved: [] })

/** What a value is after it was written and read. */
function roundTrip<const S>(schema: S, value: AvroValue<S>): unknown {
  const codec = codecOf(schema)
  const bytes = codec.encode(Buffer.alloc(0), value)
  return JSON.parse(JSON.stringify(codec.decoderFor(codec)(bytes, 0, bytes.length)))
}

const order = {
  type: 'record',
  name: 'Order',
  namespace: 'com.acme',
  fields: [
    { name: 'id', type: { type: 'fixed', name: 'Id', size: 2 } },
    { name: 'state', type: { type: 'enum', name: 'State', symbols: ['OPEN', 'PAID'] } },
    { name: 'before', type: ['null', 'com.acme.State'], default: null },
    { name: 'lines', type: { type: 'array', items: { type: 'map', values: 'double' } } },
    { name: 'amount', type: ['int', 'double'] },
    { name: 'note', type: ['null', 'string', 'bytes'] },
    { name: 'parent', type: ['null', 'Order'], default: null }
  ]
} as const

describe('the type of an Avro schema', () => {
  it('is that of its values', () => {
    type Order = AvroValue<typeof order>
    expectTypeOf<Order['id']>().toEqualTypeOf<Buffer>()
    expectTypeOf<Order['state']>().toEqualTypeOf<'OPEN' | 'PAID'>()
    expectTypeOf<Order['before']>().toEqualTypeOf<'OPEN' | 'PAID' | null>()
    expectTypeOf<Order['lines']>().toEqualTypeOf<Record<string, number>[]>()
    expectTypeOf<Order['note']>().toEqualTypeOf<string | Buffer | null>()
    expectTypeOf<NonNullable<Order['parent']>['state']>().toEqualTypeOf<'OPEN' | 'PAID'>()
    expectTypeOf<AvroValue<string>>().toBeUnknown()
    expectTypeOf<AvroValue<object>>().toBeUnknown()
  })

  it('wraps the branches of a union that JavaScript cannot tell apart, as the codec does', () => {
    expectTypeOf<AvroValue<typeof order>['amount']>().toEqualTypeOf<{ int: number } | { double: number }>()
    const schema = [
      'null',
      { type: 'record', name: 'A', namespace: 'n', fields: [] },
      { type: 'map', values: 'int' }
    ] as const
    expect(roundTrip(schema, { 'n.A': {} })).toEqual({ 'n.A': {} })
    expect(roundTrip(schema, { map: { a: 1 } })).toEqual({ map: { a: 1 } })
    expect(roundTrip(schema, null)).toBeNull()
  })

  it('is what is written and read', () => {
    const parent = {
      id: Buffer.of(1, 2),
      state: 'OPEN',
      before: null,
      lines: [],
      amount: { int: 1 },
      note: null,
      parent: null
    } as const
    const value: AvroValue<typeof order> = {
      ...parent,
      lines: [{ a: 1.5 }, {}],
      before: 'PAID',
      amount: { double: 0.5 },
      note: 'n',
      parent: { ...parent, lines: [] }
    }
    expect(roundTrip(order, value)).toEqual(JSON.parse(JSON.stringify(value)))
  })
})
