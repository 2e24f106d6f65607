import type { LogConfig } from '../log-config.ts'

/** What the choice looks at in a segment. */
export interface CompactableSegment {
  readonly baseOffset: number
  /** Base offset of the next segment. */
  readonly endOffset: number
  readonly sizeBytes: number
  /** Timestamp of its first batch; -1 when it has none. */
  readonly firstTimestampMs: number
  readonly largestTimestampMs: number
  /** Whether its indexes and summary are on the disk, so that nothing writes to its files any more. */
  readonly settled: boolean
}

/** Where a partition stands. */
export interface CompactionBounds {
  readonly nowMs: number
  /** No record at or above it is decided. */
  readonly lastStableOffset: number
  /** All records below it were compacted. */
  readonly cleanedTo: number
  /** Earliest time from which a tombstone or marker below `cleanedTo` may go; undefined when none waits. */
  readonly deleteHorizonMs: number | undefined
}

/** How much of a partition waits for compaction. */
export interface CompactionBacklog {
  readonly firstDirtyOffset: number
  /** Nothing from here on is compacted yet: the active segment, open transactions, records that are too young. */
  readonly boundOffset: number
  /** Bytes that were compacted before. */
  readonly cleanBytes: number
  /** Bytes between `firstDirtyOffset` and `boundOffset`. */
  readonly dirtyBytes: number
  /** Share of `dirtyBytes` in both. */
  readonly dirtyRatio: number
  /** Why it is time; undefined when it is not. */
  readonly due: 'dirty ratio' | 'compaction lag' | 'delete horizon' | undefined
}

/**
 * What of a partition may be compacted, by whole segments, and whether it should be: when more than `min.cleanable.dirty.ratio` of it is new,
 * when its oldest new record is older than `max.compaction.lag.ms`, or when tombstones wait that may go now.
 * @param segments all of the log's; the last one is appended to and so never compacted.
 */
export function compactionBacklog(
  segments: readonly CompactableSegment[],
  config: LogConfig,
  bounds: CompactionBounds
): CompactionBacklog {
  const compactable = countCompactable(segments, config, bounds)
  const start = segments[0]?.baseOffset ?? 0
  const boundOffset = compactable === 0 ? start : segments[compactable - 1].endOffset
  const firstDirtyOffset = Math.max(start, Math.min(bounds.cleanedTo, boundOffset))
  let cleanBytes = 0
  let dirtyBytes = 0
  let oldestDirtyMs = Number.POSITIVE_INFINITY
  for (const segment of segments.slice(0, compactable)) {
    if (segment.endOffset <= firstDirtyOffset) cleanBytes += segment.sizeBytes
    else {
      dirtyBytes += segment.sizeBytes
      if (segment.firstTimestampMs >= 0) oldestDirtyMs = Math.min(oldestDirtyMs, segment.firstTimestampMs)
    }
  }
  const dirtyRatio = dirtyBytes === 0 ? 0 : dirtyBytes / (cleanBytes + dirtyBytes)
  const due = () => {
    if (dirtyBytes > 0 && dirtyRatio > config.minCleanableDirtyRatio) return 'dirty ratio'
    if (dirtyBytes > 0 && bounds.nowMs - oldestDirtyMs > config.maxCompactionLagMs) return 'compaction lag'
    if (compactable > 0 && (bounds.deleteHorizonMs ?? Number.POSITIVE_INFINITY) <= bounds.nowMs) return 'delete horizon'
    return undefined
  }
  return {
    firstDirtyOffset,
    boundOffset,
    cleanBytes,
    dirtyBytes,
    dirtyRatio,
    due: config.compacts ? due() : undefined
  }
}

function countCompactable(
  segments: readonly CompactableSegment[],
  config: LogConfig,
  bounds: CompactionBounds
): number {
  const youngestMs = bounds.nowMs - config.minCompactionLagMs
  const end = segments.findIndex(
    (segment, index) =>
      index === segments.length - 1 ||
      !segment.settled ||
      segment.endOffset > bounds.lastStableOffset ||
      (config.minCompactionLagMs > 0 && segment.largestTimestampMs > youngestMs)
  )
  return Math.max(0, end)
}
