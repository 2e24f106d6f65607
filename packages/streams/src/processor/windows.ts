import type { WindowDefinition } from '../graph/node.ts'

/**
 * Start of the earliest window, aligned to the epoch and clipped at 0, that contains the timestamp (milliseconds). By division, which is exact
 * below 2^53 and many times faster than `%` on numbers above 2^31.
 */
export function firstWindowStart(window: WindowDefinition, timestampMs: number): number {
  const earliest = Math.max(0, timestampMs - window.sizeMs + window.advanceMs)
  return Math.floor(earliest / window.advanceMs) * window.advanceMs
}
