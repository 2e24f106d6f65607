import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigint } from './bigint.ts'
import { boolean } from './boolean.ts'
import { bytes } from './bytes.ts'
import { nullable, serde } from './custom.ts'
import { date } from './date.ts'
import { defaultKey } from './default-key.ts'
import { json } from './json.ts'
import { list } from './list.ts'
import { long } from './long.ts'
import { number } from './number.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'
import { string } from './string.ts'
import { struct, tuple } from './tuple.ts'
import { Windowed, windowed } from './windowed.ts'

/** Encodes, puts the bytes in the middle of others, and decodes from there. */
function roundTrip<T>(of: Serde<T>, value: T): T {
  const encoded = of.encode(value)
  const shared = Buffer.concat([Buffer.from('before'), encoded, Buffer.from('after')])
  return of.decode(shared, 6, 6 + encoded.length)
}

const longs = fc.maxSafeInteger()
const text = fc.string({ unit: 'grapheme' })

/** Equal bytes exactly when the identities are the same key of a map. */
function identifies<T>(of: Serde<T>, values: fc.Arbitrary<T>): void {
  const isOneKey = (left: T, right: T) => new Set([of.identity?.(left), of.identity?.(right)]).size === 1
  fc.assert(
    fc.property(values, values, (left, right) => {
      expect(isOneKey(left, right)).toBe(of.encode(left).equals(of.encode(right)))
      expect(isOneKey(left, roundTrip(of, left))).toBe(true)
    })
  )
}

describe('round trips', () => {
  it.each<[string, Serde<unknown>, fc.Arbitrary<unknown>]>([
    ['string', string(), text],
    ['number', number(), fc.double()],
    ['long', long(), longs],
    ['json', json(), fc.jsonValue({ noUnicodeString: false }).map((value) => JSON.parse(JSON.stringify(value)))],
    ['bytes', bytes(), fc.uint8Array().map((value) => Buffer.from(value))],
    [
      'windowed',
      windowed(string(), 60_000),
      fc.tuple(text, fc.nat()).map(([key, start]) => new Windowed(key, start, start + 60_000))
    ]
  ])('%s comes back as it was', (_name, of, values) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(roundTrip(of, value)).toEqual(value)
      })
    )
  })

  it('gives equal identities exactly to keys of equal bytes', () => {
    identifies(string(), fc.oneof(text, fc.constantFrom('\ud800', '\ud801', '\ufffd')))
    identifies(number(), fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN)))
    identifies(long(), fc.oneof(longs, fc.constantFrom(0, -0)))
    identifies(
      bytes(),
      fc.uint8Array({ maxLength: 2 }).map((value) => Buffer.from(value))
    )
    const windows = (key: fc.Arbitrary<string>) =>
      fc.tuple(key, fc.nat(30)).map(([of, at]) => new Windowed(of, at, at + 5))
    identifies(windowed(string(), 5), windows(fc.constantFrom('', '1', '1/1', '#', '0#')))
  })
})

describe("Kafka's bytes", () => {
  const hex = <T>(of: Serde<T>, value: T) => of.encode(value).toString('hex')

  it('writes Long, Double and windowed keys as Java does', () => {
    expect(hex(long(), 1)).toBe('0000000000000001')
    expect(hex(long(), -2)).toBe('fffffffffffffffe')
    expect(hex(long(), 2 ** 32 + 5)).toBe('0000000100000005')
    expect(hex(long(), Number.MIN_SAFE_INTEGER)).toBe('ffe0000000000001')
    expect(hex(number(), 1)).toBe('3ff0000000000000')
    expect(hex(windowed(string(), 1000), new Windowed('ad', 256, 1256))).toBe('61640000000000000100')
  })

  it('reads a windowed key without knowing the size', () => {
    const key = windowed(string()).decode(Buffer.from('61640000000000000100', 'hex'), 0, 10)
    expect(key).toEqual(new Windowed('ad', 256, Number.MAX_SAFE_INTEGER))
    expect(String(new Windowed('ad', 256, 1256))).toBe('ad@256/1256')
  })
})

describe('errors', () => {
  // What slipped past the types.
  const refused = <T>(of: Serde<T>, value: unknown) => of.encode(value as T)
  const decode = (of: Serde<unknown>, text: string) => () => of.decode(Buffer.from(text, 'latin1'), 0, text.length)

  it.each<[string, () => unknown, RegExp]>([
    ['a long of 7 bytes', decode(long(), '1234567'), /long cannot decode: expected 8 bytes, got 7/],
    ['a long beyond 2^53', decode(long(), '\x7f2345678'.slice(0, 8)), /does not fit in a number/],
    ['a double of 9 bytes', decode(number(), '123456789'), /number cannot decode: expected 8 bytes, got 9/],
    ['half a JSON text', decode(json(), '{"a":'), /json cannot decode/],
    [
      'a windowed key of 3 bytes',
      decode(windowed(string()), 'abc'),
      /windowed\(string\) cannot decode: expected a key and 8 bytes/
    ],
    ['a fraction as long', () => long().encode(1.5), /long cannot encode: 1.5 is not a whole number/],
    ['2^53 as long', () => long().encode(2 ** 53), /long cannot encode/],
    [
      'undefined as JSON',
      () => json<unknown>().encode(undefined),
      /json cannot encode: JSON has no form for a undefined/
    ],
    ['a promise as JSON', () => json<unknown>().encode(Promise.resolve()), /a promise: .* goes to mapAsync\(\)/],
    ['a bigint as JSON', () => json<unknown>().encode(1n), /json cannot encode/],
    ['a number as string', () => refused(string(), 5), /string cannot encode: a value of type number is no text/],
    ['a string as number', () => refused(number(), '5'), /number cannot encode: a value of type string is no number/],
    ['null as boolean', () => refused(boolean(), null), /boolean cannot encode: a value of type null is no boolean/],
    ['a number as bigint', () => refused(bigint(), 5), /bigint cannot encode: a value of type number is no bigint/],
    ['a number as date', () => refused(date(), 5), /date cannot encode: a value of type number is no Date/],
    ['text as bytes', () => refused(bytes(), 'x'), /bytes cannot encode: a value of type string is no Buffer/],
    [
      'a wrong element of a list',
      () => refused(list(list(long())), [[1], [2, 'x']]),
      /^list\(list\(long\)\) cannot encode: \$\[1\]\[1\]: long cannot encode: x is not a whole number/
    ],
    [
      'a wrong field',
      () => refused(struct({ shop: struct({ city: string() }), at: long() }), { shop: { city: 7 }, at: 1 }),
      /cannot encode: \$\.shop\.city: string cannot encode: a value of type number is no text/
    ],
    ['no object', () => refused(struct({ at: long() }), undefined), /a value of type undefined is no object/],
    [
      'a part too few',
      () => refused(tuple(string(), long()), ['a']),
      /tuple\(string, long\) cannot encode: it has 2 parts, got 1 parts/
    ],
    [
      'a wrong part',
      () => refused(tuple(string(), tuple(long())), ['a', [1.5]]),
      /cannot encode: \$\[1\]\[0\]: long cannot encode: 1.5/
    ],
    [
      'a number as default key',
      () => defaultKey('clicks-groupBy').encode(7),
      /in node 'clicks-groupBy': the key is a number/
    ]
  ])('%s is a SerdeError that says what', (_name, act, message) => {
    expect(act).toThrow(SerdeError)
    expect(act).toThrow(message)
  })
})

describe('serdes of a program', () => {
  const date = serde<Date>({
    name: 'date',
    encode: (value) => Buffer.from(value.toISOString()),
    decode: (view) => new Date(view.toString()),
    identity: (value) => value.getTime()
  })

  it('decodes from a view of its bytes alone', () => {
    expect(roundTrip(date, new Date(5))).toEqual(new Date(5))
    expect(roundTrip(windowed(date, 10), new Windowed(new Date(5), 0, 10))).toEqual(new Windowed(new Date(5), 0, 10))
  })

  it('keeps the serde and widens the type for null', () => {
    const profile: Serde<Date | null> = nullable(date)
    expect(profile).toBe(date)
  })

  it('copies bytes, which are shared', () => {
    const shared = Buffer.from('abc')
    const read = bytes().decode(shared, 0, 2)
    shared.fill(0)
    expect(read.toString()).toBe('ab')
  })
})
