import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FrequentKeys } from './frequent-keys.ts'

describe('the sketch of frequent keys', () => {
  it('says how often a key came within its bounds, and misses none that is frequent', () => {
    const skewed = fc.nat(399).map((n) => `k${Math.floor((n * n) / 400)}`)
    fc.assert(
      fc.property(fc.array(skewed, { maxLength: 3_000 }), fc.integer({ min: 2, max: 40 }), (keys, capacity) => {
        const sketch = new FrequentKeys(capacity)
        const counts = new Map<string, number>()
        for (const key of keys) {
          sketch.add(key)
          counts.set(key, (counts.get(key) ?? 0) + 1)
        }
        const top = sketch.top(2 * capacity)
        expect(top.length).toBeLessThanOrEqual(2 * capacity)
        expect(sketch.total).toBe(keys.length)
        for (const { key, atMost, atLeast } of top) {
          const count = counts.get(key) ?? 0
          expect(atLeast).toBeLessThanOrEqual(count)
          expect(atMost).toBeGreaterThanOrEqual(count)
        }
        const found = new Set(top.map(({ key }) => key))
        for (const [key, count] of counts) if (count > sketch.floor) expect(found.has(key)).toBe(true)
      }),
      { numRuns: 60 }
    )
  })

  it('finds the hot key among a million others in the space of a few', () => {
    const sketch = new FrequentKeys(50)
    for (let i = 0; i < 1_000_000; i++) sketch.add(i % 10 === 0 ? 'hot' : `cold-${i}`)
    const [hot] = sketch.top(1)
    expect(hot.key).toBe('hot')
    expect(hot.atLeast).toBeGreaterThan(0.9 * 100_000)
  })

  it('lets what was weigh less and less', () => {
    const sketch = new FrequentKeys(10)
    for (let i = 0; i < 100; i++) sketch.add('before')
    for (let i = 0; i < 3; i++) sketch.forgetHalf()
    for (let i = 0; i < 50; i++) sketch.add('now')
    expect(sketch.top(1)[0].key).toBe('now')
    expect(sketch.total).toBe(12 + 50)
  })
})
