import { describe, expect, it } from 'vitest'
import { murmur2, partitionForKey } from './murmur2.ts'

/** From the tests of Apache Kafka's Utils.murmur2. */
const published: readonly [string, number][] = [
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107]
]

describe('murmur2', () => {
  it.each(published)('of %s is that of the Java client', (text, hash) => {
    expect(murmur2(Buffer.from(text))).toBe(hash)
  })

  it('places keys by its lower 31 bits', () => {
    for (const [text, hash] of published) {
      expect(partitionForKey(Buffer.from(text), 7)).toBe((hash < 0 ? hash + 2 ** 31 : hash) % 7)
    }
  })
})
