import { type Duration, DurationError, durationMs } from '../graph/duration.ts'
import type { SessionWindows, SlidingWindows, TimeWindows, UnlimitedWindows } from '../graph/node.ts'
import { type OptionNames, refuseUnknownOptions } from '../graph/option-names.ts'
import { requireOptions } from './mistakes.ts'

/**
 * Windows of one size side by side: `[0, size)`, `[size, 2 size)` ... since the epoch, as Kafka Streams' TimeWindows.
 * A window takes records until stream time reaches its end plus `grace`; later ones are counted and dropped. `grace` is 0 by default.
 */
export function tumbling(options: { readonly size: Duration; readonly grace?: Duration }): TimeWindows {
  const { size, grace } = windowOptions(options, 'tumbling()', { example: "{ size: '1m' }", names: ['size', 'grace'] })
  return hopping({ size, advance: size, ...(grace !== undefined && { grace }) })
}

/**
 * Windows of one size that begin every `advance`, so a record is in `size / advance` of them. None begins before the epoch.
 * @throws DurationError when the advance is greater than the size, which would leave gaps.
 */
export function hopping(options: {
  readonly size: Duration
  readonly advance: Duration
  readonly grace?: Duration
}): TimeWindows {
  windowOptions(options, 'hopping()', {
    example: "{ size: '1h', advance: '5m' }",
    names: ['size', 'advance', 'grace']
  })
  const sizeMs = durationMs('size', options.size, { leastMs: 1 })
  const advanceMs = durationMs('advance', options.advance, { leastMs: 1 })
  const graceMs = durationMs('grace', options.grace ?? 0)
  if (advanceMs > sizeMs) throw new DurationError('advance', options.advance, `more than the size, ${sizeMs} ms`)
  return Object.freeze({ kind: 'time', sizeMs, advanceMs, graceMs })
}

/**
 * Windows around the records themselves: for every record one that ends at it, and one that begins just after it if a record follows in time, both
 * `difference` long with both ends included. A window takes records until stream time is later than its end plus `grace` (0 by default).
 */
export function sliding(options: { readonly difference: Duration; readonly grace?: Duration }): SlidingWindows {
  windowOptions(options, 'sliding()', { example: "{ difference: '1m' }", names: ['difference', 'grace'] })
  const differenceMs = durationMs('difference', options.difference)
  const graceMs = durationMs('grace', options.grace ?? 0)
  return Object.freeze({ kind: 'sliding', differenceMs, graceMs })
}

/**
 * Sessions: records of a key that follow one another within `gap` (included) are in one window, from the first to the last of them. A session takes
 * records until stream time is later than its end plus `gap` and `grace` (0 by default).
 */
export function sessions(options: { readonly gap: Duration; readonly grace?: Duration }): SessionWindows {
  windowOptions(options, 'sessions()', { example: "{ gap: '30m' }", names: ['gap', 'grace'] })
  const gapMs = durationMs('gap', options.gap, { leastMs: 1 })
  const graceMs = durationMs('grace', options.grace ?? 0)
  return Object.freeze({ kind: 'session', gapMs, graceMs })
}

/** One window a key, from `start` (milliseconds since the epoch, default 0) on, without an end. Records before it are in none. */
export function unlimited(options: { readonly start?: number } = {}): UnlimitedWindows {
  refuseUnknownOptions('unlimited()', options, ['start'])
  const startMs = durationMs('start', options.start ?? 0)
  return Object.freeze({ kind: 'unlimited', startMs })
}

function windowOptions<T>(given: T, call: string, takes: { readonly example: string; readonly names: OptionNames }): T {
  refuseUnknownOptions(call, given, takes.names)
  return requireOptions(given, call, takes.example)
}
