import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Duration, DurationError, durationMs, formatDuration } from './duration.ts'

describe('durationMs', () => {
  it.each<[Duration, number]>([
    ['250ms', 250],
    ['10s', 10_000],
    ['1m', 60_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['0.1s', 100],
    ['1.5h', 5_400_000],
    [42, 42],
    [0, 0]
  ])('%s is %i ms', (duration, ms) => {
    expect(durationMs('size', duration)).toBe(ms)
  })

  it.each<[Duration, RegExp]>([
    ['-1s', /size is '-1s': not a duration/],
    ['1e3s', /not a duration/],
    ['0.5ms', /not a whole number of milliseconds/],
    ['999999999999d', /not a whole number/],
    [1.5, /size is 1.5: not a whole number/],
    [Number.NaN, /not a whole number/],
    [-1, /less than 0 ms/]
  ])('%s is refused', (duration, message) => {
    expect(() => durationMs('size', duration)).toThrow(DurationError)
    expect(() => durationMs('size', duration)).toThrow(message)
  })

  it('refuses what only JavaScript lets through', () => {
    const given: unknown = 'one minute'
    expect(() => durationMs('grace', given as Duration)).toThrow(
      /grace is 'one minute': not a duration; write e.g. '250ms'/
    )
  })

  it('refuses less than the least', () => {
    expect(() => durationMs('size', 0, { leastMs: 1 })).toThrow(/size is 0: less than 1 ms/)
  })
})

it('formats any whole milliseconds so that they are read back', () => {
  const units = fc.constantFrom(1, 1_000, 60_000, 3_600_000, 86_400_000)
  fc.assert(
    fc.property(fc.nat(100_000), units, (amount, unit) => {
      const formatted = formatDuration(amount * unit)
      expect(durationMs('size', formatted as Duration)).toBe(amount * unit)
    })
  )
  expect(formatDuration(90_000)).toBe('90s')
})
