import type { LogConfig } from './log-config.ts'

/** What retention looks at in a segment. */
export interface RetainedSegment {
  readonly sizeBytes: number
  /** Base offset of what follows it: all its records are below. */
  readonly endOffset: number
  readonly largestTimestampMs: number
}

/** Where a partition's log stands. */
export interface RetentionBounds {
  readonly nowMs: number
  readonly logStartOffset: number
  /** No segment that reaches beyond it is deleted. */
  readonly highWatermark: number
}

/**
 * How many of the oldest segments may go: those below the log start in any case, and with the cleanup policy `delete` those whose
 * newest record is older than `retention.ms`, and those without which the log still has `retention.bytes`. Segments go oldest
 * first, so the first one that stays keeps all after it.
 */
export function countDeletable(
  segments: readonly RetainedSegment[],
  config: LogConfig,
  bounds: RetentionBounds
): number {
  let excessBytes = segments.reduce((sum, segment) => sum + segment.sizeBytes, 0) - config.retentionBytes
  let count = 0
  for (const segment of segments) {
    if (segment.endOffset > bounds.highWatermark) break
    const tooOld = config.retentionMs >= 0 && bounds.nowMs - segment.largestTimestampMs > config.retentionMs
    const tooMuch = config.retentionBytes >= 0 && excessBytes >= segment.sizeBytes
    const belowStart = segment.endOffset <= bounds.logStartOffset
    if (!belowStart && !(config.deletes && (tooOld || tooMuch))) break
    excessBytes -= segment.sizeBytes
    count += 1
  }
  return count
}
