import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SessionKey, sessionKey } from '../state/session-key.ts'
import { placeLists } from '../state/window-index.ts'
import { defaultKey } from './default-key.ts'
import { Answer, answerSerde, Instruction, Subscription, subscriptionSerde } from './foreign-key.ts'
import { hash128 } from './hash128.ts'
import { json } from './json.ts'
import { long } from './long.ts'
import { number } from './number.ts'
import { Scratch } from './scratch.ts'
import type { Serde } from './serde.ts'
import { string } from './string.ts'
import { subscriptionEntries, subscriptionKeys } from './subscription-store.ts'
import { versionListSerde } from './version-list.ts'
import { sessionWindowed, Windowed, windowed } from './windowed.ts'

/** Any UTF-16 text, lone surrogates too, around the lengths at which the way of writing changes. */
const text = fc.array(fc.nat(0xffff), { maxLength: 48 }).map((units) => String.fromCharCode(...units))
const ascii = fc.string({ unit: 'binary-ascii', maxLength: 48 })
const anyText = fc.oneof(text, ascii)
const safe = fc.maxSafeInteger()
const hash = fc.option(
  anyText.map((of) => hash128(Buffer.from(of))),
  { nil: null }
)
const key = fc.tuple(anyText, safe, safe).map(([of, startMs, endMs]) => new Windowed(of, startMs, endMs))

const cases: readonly (readonly [Serde<unknown>, fc.Arbitrary<unknown>])[] = [
  [string(), anyText],
  [defaultKey('step'), anyText],
  [long(), safe],
  [number(), fc.double()],
  [windowed(string(), 1), key],
  [sessionWindowed(string()), key],
  [sessionKey(string()), fc.tuple(safe, anyText).map(([startMs, of]) => new SessionKey(startMs, of))],
  [subscriptionKeys, fc.string({ unit: fc.nat(255).map((unit) => String.fromCharCode(unit)), maxLength: 48 })],
  [subscriptionEntries, fc.record({ chunk: fc.nat(), partition: fc.nat(), hash })],
  [
    subscriptionSerde(string()),
    fc
      .record({
        instruction: fc.constantFrom(...Object.values(Instruction)),
        primaryKey: anyText,
        hash,
        partition: fc.nat()
      })
      .map((of) => new Subscription(of))
  ],
  [
    answerSerde(string()),
    fc.record({ hash, value: fc.option(anyText, { nil: undefined }), partition: fc.nat() }).map((of) => new Answer(of))
  ],
  [
    versionListSerde(string()),
    fc.array(fc.record({ timestamp: safe, value: fc.option(anyText, { nil: undefined }) }), { maxLength: 4 })
  ],
  [placeLists, fc.array(safe, { maxLength: 10 })]
] as readonly (readonly [Serde<unknown>, fc.Arbitrary<unknown>])[]

describe.each(cases.map(([serde, values]) => ({ serde, values, name: serde.name })))(
  '$name into a place',
  ({ serde, values }) => {
    it('writes the bytes of encode and nothing behind them, or says that they do not fit', () => {
      fc.assert(
        fc.property(values, fc.nat(40), fc.nat(8), (value, at, less) => {
          const bytes = serde.encode(value)
          const roomy = Buffer.alloc(at + bytes.length * 3 + 200, 0xa5)
          const end = serde.encodeInto?.(value, roomy, at)
          expect(end).toBe(at + bytes.length)
          expect(roomy.subarray(at, end)).toEqual(bytes)
          expect(roomy.subarray(0, at).every((byte) => byte === 0xa5)).toBe(true)
          const short = Buffer.alloc(Math.max(0, at + bytes.length - 1 - less))
          if (bytes.length > 0) expect(serde.encodeInto?.(value, short, at)).toBeLessThan(0)
        })
      )
    })
  }
)

describe('Scratch', () => {
  it('gives what does not fit, or can not be written into a place, a buffer of its own', () => {
    const scratch = new Scratch()
    const long = 'x'.repeat(5000)
    expect(scratch.encode(string(), long).toString()).toBe(long)
    expect(scratch.encode(json<number[]>(), [1, 2]).toString()).toBe('[1,2]')
    expect(scratch.encode(windowed(json<number[]>()), new Windowed([1], 2, 3)).toString('hex')).toBe(
      '5b315d0000000000000002'
    )
  })

  it('holds one thing at a time, in views that are made once', () => {
    const scratch = new Scratch()
    const first = scratch.encode(string(), 'one')
    expect(first.toString()).toBe('one')
    expect(scratch.encode(string(), 'two')).toBe(first)
    expect(first.toString()).toBe('two')
  })

  it('refuses what encode refuses', () => {
    const scratch = new Scratch()
    expect(() => scratch.encode(string() as Serde<unknown>, 5)).toThrow('string cannot encode: a value of type number')
    expect(() => scratch.encode(long(), 0.5)).toThrow('not a whole number')
    expect(() => scratch.encode(defaultKey('step'), 5)).toThrow('not text')
  })
})
