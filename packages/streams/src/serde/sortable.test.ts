import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import { bigint } from './bigint.ts'
import { boolean } from './boolean.ts'
import { bytes } from './bytes.ts'
import { date } from './date.ts'
import { json } from './json.ts'
import { long } from './long.ts'
import { number } from './number.ts'
import { optional } from './optional.ts'
import type { Serde } from './serde.ts'
import type { SortableSerde } from './sortable.ts'
import { string } from './string.ts'
import { struct, tuple } from './tuple.ts'
import { uuid } from './uuid.ts'

interface Kind<T> {
  readonly serde: SortableSerde<T>
  readonly values: fc.Arbitrary<T>
  compare(a: T, b: T): number
}

const byOrder = <T extends number | bigint | boolean | Date>(a: T, b: T) => (a < b ? -1 : a > b ? 1 : 0)
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 4 }), fc.constantFrom('', '\0', '\0\0', 'a\0', 'a\u0001'))

function kind<T>(serde: SortableSerde<T>, values: fc.Arbitrary<T>, compare: (a: T, b: T) => number): Kind<T> {
  return { serde, values, compare }
}

const strings = kind(string(), text, (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
const longs = kind(long(), fc.maxSafeInteger(), byOrder)
const dates = kind(date(), fc.date({ noInvalidDate: true }), byOrder)

const kinds: readonly (readonly [string, Kind<unknown>])[] = [
  ['string', strings],
  ['long', longs],
  [
    'number',
    kind(
      number(),
      fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
      byOrder
    )
  ],
  ['bigint', kind(bigint(), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), byOrder)],
  ['boolean', kind(boolean(), fc.boolean(), byOrder)],
  ['date', dates],
  ['uuid', kind(uuid(), fc.uuid(), (a, b) => (a < b ? -1 : a > b ? 1 : 0))],
  [
    'bytes',
    kind(
      bytes(),
      fc.array(fc.constantFrom(0, 1, 0x80, 0xff), { maxLength: 4 }).map((b) => Buffer.from(b)),
      Buffer.compare
    )
  ],
  [
    'optional',
    kind(optional(long()), fc.option(fc.maxSafeInteger(), { nil: undefined }), (a, b) =>
      a === undefined || b === undefined ? Number(a !== undefined) - Number(b !== undefined) : a - b
    )
  ],
  [
    'tuple',
    kind(
      tuple(string(), tuple(long(), date())),
      fc.tuple(text, fc.tuple(fc.integer({ min: -2, max: 2 }), dates.values)),
      ([s, [n, d]], [s2, [n2, d2]]) => strings.compare(s, s2) || longs.compare(n, n2) || dates.compare(d, d2)
    )
  ],
  [
    'struct',
    kind(
      struct({ shop: string(), at: optional(number()) }),
      fc.record({ shop: text, at: fc.constantFrom(undefined, -1.5, 0, 2) }),
      (a, b) => strings.compare(a.shop, b.shop) || (a.at ?? -9) - (b.at ?? -9)
    )
  ]
]

describe.each(kinds)('%s', (_name, { serde, values, compare }) => {
  it('sorts as a part of a key as its values compare, and comes back', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        const [left, right] = [serde.sortable.write(a), serde.sortable.write(b)]
        expect(Math.sign(Buffer.compare(left, right))).toBe(Math.sign(compare(a, b)))
        const padded = Buffer.concat([Buffer.of(7), left, right])
        const first = serde.sortable.read(padded, 1, padded.length)
        expect(first.value).toEqual(a)
        expect(serde.sortable.read(padded, first.next, padded.length)).toEqual({ value: b, next: padded.length })
      }),
      { numRuns: 300 }
    )
  })

  it('comes back as a key or value of its own', () => {
    fc.assert(
      fc.property(values, (value) => {
        const written = serde.encode(value)
        expect(serde.decode(Buffer.concat([Buffer.of(9), written, Buffer.of(9)]), 1, 1 + written.length)).toEqual(value)
      })
    )
  })

  it('never reads past the end, or silently, what is cut off', () => {
    fc.assert(
      fc.property(values, (value) => {
        const written = serde.sortable.write(value)
        for (let end = 0; end < written.length; end++) {
          expect(() => serde.sortable.read(written, 0, end)).toThrow('cut off')
        }
      }),
      { numRuns: 30 }
    )
  })
})

it('gives keys types, and takes sortable parts only', () => {
  expectTypeOf(tuple(string(), date())).toEqualTypeOf<SortableSerde<readonly [string, Date]>>()
  expectTypeOf(struct({ shop: string(), open: boolean() })).toEqualTypeOf<
    SortableSerde<{ readonly shop: string; readonly open: boolean }>
  >()
  expectTypeOf(optional(json<number>())).toEqualTypeOf<Serde<number | undefined>>()
  // @ts-expect-error JSON text does not sort as its values
  tuple(string(), json<number>())
})

it('refuses what does not fit', () => {
  expect(() => bigint().encode(2n ** 63n)).toThrow('does not fit')
  expect(() => date().encode(new Date(Number.NaN))).toThrow('invalid')
  expect(() => uuid().encode('no')).toThrow('is not a UUID')
  expect(() => uuid().decode(Buffer.from('no'), 0, 2)).toThrow('is not a UUID')
  expect(() => boolean().decode(Buffer.of(2), 0, 1)).toThrow('neither 0 nor 1')
  expect(() => tuple(boolean()).decode(Buffer.alloc(2), 0, 2)).toThrow('1 bytes too many')
  expect(() => optional(json()).decode(Buffer.of(2, 3), 0, 2)).toThrow('neither 0 nor 1')
})

it('makes ranges of keys ranges of a store', async () => {
  const topology = defineTopology('app', (b) => {
    const visits = b.store('visits', { key: tuple(string(), long()), value: string() })
    b.stream('in', { key: string(), value: string() })
      .processValues(
        async ({ key, value, timestamp }, context) => {
          const store = context.store('visits')
          store.put([key, timestamp - 100], value)
          const found: string[] = []
          for await (const [, visit] of store.range([key, -20], [key, 20])) found.push(visit)
          context.forward(found.join(' '))
        },
        { stores: [visits] }
      )
      .to('out')
  })
  const driver = await TopologyTestDriver.open(topology)
  const input = driver.input<string, string>('in')
  for (const at of [50, 81, 99, 100, 120, 121]) await input.pipe('a', `${at - 100}`, at)
  await input.pipe('ab', 'other', 100)
  expect(driver.output('out').readValues().slice(-2)).toEqual(['-19 -1 0 20', 'other'])
})
