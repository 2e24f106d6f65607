import type { RandomSource } from '@millrace/log'

/** Bounds of an exponential backoff, milliseconds. */
export interface BackoffBounds {
  /** Before the first repetition. Default 300, as Kafka Connect's `errors.retry`. */
  readonly firstMs: number
  /** Never longer than this. Default 60,000. */
  readonly maxMs: number
}

/** What Kafka Connect waits between repetitions. */
export const defaultBackoff: BackoffBounds = { firstMs: 300, maxMs: 60_000 }

/**
 * How long to wait before repetition `attempt` (from 1): doubling up to the maximum, and then a random half of it less, so that those who
 * failed together do not come back together.
 */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: RandomSource): number {
  const full = Math.min(bounds.maxMs, bounds.firstMs * 2 ** Math.min(attempt - 1, 30))
  return full - (full / 2) * (random.uint32() / 2 ** 32)
}
