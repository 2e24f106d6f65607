import { type Duration, DurationError, durationMs } from '../graph/duration.ts'
import type { WindowDefinition } from '../graph/node.ts'

/**
 * Windows of one size side by side: `[0, size)`, `[size, 2 size)` ... since the epoch, as Kafka Streams' TimeWindows.
 * A window takes records until stream time reaches its end plus `grace`; later ones are counted and dropped. `grace` is 0 by default.
 */
export function tumbling(options: { readonly size: Duration; readonly grace?: Duration }): WindowDefinition {
  return hopping({ ...options, advance: options.size })
}

/**
 * Windows of one size that begin every `advance`, so a record is in `size / advance` of them. None begins before the epoch.
 * @throws DurationError when the advance is greater than the size, which would leave gaps.
 */
export function hopping(options: {
  readonly size: Duration
  readonly advance: Duration
  readonly grace?: Duration
}): WindowDefinition {
  const sizeMs = durationMs('size', options.size, { leastMs: 1 })
  const advanceMs = durationMs('advance', options.advance, { leastMs: 1 })
  const graceMs = durationMs('grace', options.grace ?? 0)
  if (advanceMs > sizeMs) throw new DurationError('advance', options.advance, `more than the size, ${sizeMs} ms`)
  return Object.freeze({ kind: 'time', sizeMs, advanceMs, graceMs })
}
