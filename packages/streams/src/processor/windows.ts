import type { WindowDefinition } from '../graph/node.ts'

/** Start of the earliest window, aligned to the epoch and clipped at 0, that contains the timestamp (milliseconds). */
export function firstWindowStart(window: WindowDefinition, timestampMs: number): number {
  const earliest = Math.max(0, timestampMs - window.sizeMs + window.advanceMs)
  return earliest - (earliest % window.advanceMs)
}
