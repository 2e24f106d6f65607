import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Change, changeSerde } from './change.ts'
import { Answer, answerSerde, Instruction, Subscription, subscriptionSerde } from './foreign-key.ts'
import { hash128, hashBytes, readHash, sameHash, writeHash } from './hash128.ts'
import type { Serde } from './serde.ts'
import { SerdeError } from './serde-error.ts'
import { string } from './string.ts'
import { prunedVersions, type Version, versionAt, versionListSerde, withVersion } from './version-list.ts'
import { waitingListSerde } from './waiting-list.ts'

/** Decodes from within a larger buffer, as a batch of records is one. */
function throughBytes(serde: Serde<unknown>, value: unknown): unknown {
  const bytes = serde.encode(value)
  const padded = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')])
  return serde.decode(padded, 6, 6 + bytes.length)
}

const texts = fc.string({ unit: 'grapheme' })
const maybe = fc.option(texts, { nil: undefined })
const hashes = fc.option(
  texts.map((text) => hash128(Buffer.from(text))),
  { nil: null }
)
const partitions = fc.integer({ min: 0, max: 1000 })

const formats: readonly (readonly [string, Serde<unknown>, fc.Arbitrary<unknown>])[] = [
  [
    'changes',
    changeSerde(string()),
    fc.record({ newValue: maybe, oldValue: maybe }).map((of) => new Change(of.newValue, of.oldValue))
  ],
  [
    'subscriptions',
    subscriptionSerde(string()),
    fc
      .record({
        instruction: fc.constantFrom(...Object.values(Instruction)),
        primaryKey: texts,
        hash: hashes,
        partition: partitions
      })
      .map((of) => new Subscription(of))
  ],
  [
    'answers',
    answerSerde(string()),
    fc.record({ hash: hashes, value: maybe, partition: partitions }).map((of) => new Answer(of))
  ],
  ['versions', versionListSerde(string()), fc.array(fc.record({ timestamp: fc.nat(), value: maybe }))],
  [
    'waiting records',
    waitingListSerde(string(), [string(), string()]),
    fc.array(
      fc.record({
        side: fc.constantFrom(0, 1),
        key: texts,
        value: texts,
        headers: fc.array(
          fc.record({
            key: texts,
            value: fc.option(
              texts.map((text) => Buffer.from(text)),
              { nil: null }
            )
          })
        )
      })
    )
  ],
  ['bitmaps', waitingListSerde(string(), [string()]), fc.integer({ min: 0, max: 0xffff_ffff })]
]

describe.each(formats)('the bytes of %s', (_name, serde, values) => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(throughBytes(serde, value)).toEqual(value)
      })
    )
  })

  it('cut short, are refused or something else, never a read past the end', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const bytes = serde.encode(value)
        const end = bytes.length === 0 ? 0 : cut % bytes.length
        try {
          serde.decode(Buffer.from(bytes.subarray(0, end)), 0, end)
        } catch (error) {
          expect(error instanceof SerdeError || error instanceof RangeError).toBe(true)
        }
      })
    )
  })
})

describe('a hash of 128 bits', () => {
  it.each([
    ['', '00000000000000000000000000000000'],
    ['The quick brown fox jumps over the lazy dog', '2f1583c3ecee2c675d7bf66ce5e91d2c'],
    ['MurmurHash3 was written by Austin Appleby, and is placed in the public', '6d3583489d9d1e5a898493af67e2ad10']
  ])('of %j is what MurmurHash3 says', (text, expected) => {
    const bytes = Buffer.alloc(hashBytes)
    writeHash(bytes, hash128(Buffer.from(text)), 0)
    expect(bytes.toString('hex')).toBe(expected)
    expect(sameHash(readHash(bytes, 0), hash128(Buffer.from(text)))).toBe(true)
    expect(sameHash(readHash(bytes, 0), hash128(Buffer.from(`${text} `)))).toBe(false)
  })
})

describe('versions', () => {
  const versions = fc.array(
    fc.record({ timestamp: fc.integer({ min: 0, max: 30 }), value: fc.option(fc.nat(), { nil: undefined }) }),
    { maxLength: 12 }
  )

  it('are found as of a time like the newest of those before it, also after what no one may ask for is gone', () => {
    fc.assert(
      fc.property(versions, fc.integer({ min: 0, max: 40 }), (added: Version[], keptFromMs) => {
        const list = prunedVersions(added.reduce(withVersion, [] as readonly Version[]), keptFromMs)
        const valid = new Map(added.map(({ timestamp, value }) => [timestamp, value]))
        for (let asOf = keptFromMs; asOf <= 45; asOf++) {
          const at = [...valid.keys()].filter((ms) => ms <= asOf).sort((a, b) => b - a)[0]
          expect(versionAt(list, asOf)?.value).toBe(at === undefined ? undefined : valid.get(at))
        }
      })
    )
  })
})
