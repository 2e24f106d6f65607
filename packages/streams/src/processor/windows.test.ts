import fc from 'fast-check'
import { expect, it } from 'vitest'
import { firstWindowStart } from './windows.ts'

it('finds the earliest window that contains a timestamp, exactly, up to 2^53', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 1_000_000_000 }), fc.integer({ min: 1, max: 1_000_000_000 }))
  fc.assert(
    fc.property(sizes, fc.maxSafeNat(), ([a, b], timestampMs) => {
      const [advanceMs, sizeMs] = a < b ? [a, b] : [b, a]
      const startMs = firstWindowStart({ kind: 'time', sizeMs, advanceMs, graceMs: 0 }, timestampMs)
      expect(startMs % advanceMs).toBe(0)
      expect(startMs).toBeLessThanOrEqual(timestampMs)
      expect(startMs + sizeMs).toBeGreaterThan(timestampMs)
      if (startMs > 0) expect(startMs - advanceMs + sizeMs).toBeLessThanOrEqual(timestampMs)
    })
  )
})
