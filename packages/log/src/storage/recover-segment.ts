import type { FileSystem } from '../environment/environment.ts'
import { LeaderEpochs } from './checkpoint/leader-epochs.ts'
import type { DamageReport, OnDamage } from './damage.ts'
import { unknownEpoch } from './segment/batch-check.ts'
import { type BadRange, type ScanResult, scanBatches } from './segment/batch-scan.ts'
import type { Segment } from './segment/segment.ts'
import { damagedPath, setAside } from './segment/set-aside.ts'
import type { SegmentSummary } from './segment/summary.ts'

/** A place in a segment, and the offset expected there. */
export interface ResumePoint {
  readonly position: number
  readonly offset: number
}

/** How one segment is recovered. */
export interface SegmentRecovery {
  readonly files: FileSystem
  readonly directory: string
  readonly onDamage: OnDamage
  /** Where scanning begins; all before it is known to be good. */
  readonly from: ResumePoint
  /** What was certain about the segment. */
  readonly summary: SegmentSummary | undefined
  /** Base offset of the next segment; undefined for the last one. */
  readonly nextBaseOffset: number | undefined
  /** Called with every valid batch in order, and the position it ends up at. */
  readonly visit: (batch: Buffer, position: number) => void
}

/**
 * Reads a segment from a known good place to its end, checks every batch, and repairs the file. A bad range with valid batches
 * after it (in this segment or a later one) is moved aside and leaves a gap in the offsets; bad bytes with nothing valid after them
 * are the torn end of an unfinished write and are cut. Returns the segment's file as it is from then on, and the offset after its
 * last batch.
 */
export async function recoverSegment(
  segment: Segment,
  recovery: SegmentRecovery
): Promise<{ readonly sizeBytes: number; readonly nextOffset: number }> {
  const { log } = segment
  const fileBytes = log.sizeBytes
  const range = {
    fromPosition: recovery.from.position,
    toPosition: fileBytes,
    minOffset: recovery.from.offset,
    exact: isDense(segment, recovery.summary),
    epochAt: epochsOf(recovery.summary),
    endOffset: recovery.nextBaseOffset ?? Number.POSITIVE_INFINITY,
    verifyCrc: true,
    closesGaps: true
  }
  const scan = scanBatches(log.handle, range, recovery.visit)
  const badRanges = withDamagedTail(scan, fileBytes, recovery)
  for (const bad of badRanges) recovery.onDamage(damagedReport(log.path, bad))
  if (scan.tailProblem !== undefined && badRanges === scan.badRanges) {
    recovery.onDamage(tornReport(log.path, scan, fileBytes))
  }
  const removedBytes = badRanges.reduce(
    (sum, bad) => sum + Math.min(bad.to, scan.endPosition) - Math.min(bad.from, scan.endPosition),
    0
  )
  if (badRanges.length > 0) {
    const { directory } = recovery
    await setAside(recovery.files, log, {
      directory,
      summaryPath: segment.summaryPath,
      badRanges,
      endPosition: scan.endPosition
    })
  } else if (scan.endPosition < fileBytes) {
    log.cutTo(scan.endPosition)
  }
  return { sizeBytes: scan.endPosition - removedBytes, nextOffset: scan.nextOffset }
}

/**
 * Bad bytes at the end of a segment are no torn write when a later segment has valid batches, or when they had been synced: then they
 * are kept like any other bad range.
 */
function withDamagedTail(scan: ScanResult, fileBytes: number, recovery: SegmentRecovery): readonly BadRange[] {
  const wasSynced = (recovery.summary?.logSizeBytes ?? 0) > scan.endPosition
  if (scan.tailProblem === undefined || (recovery.nextBaseOffset === undefined && !wasSynced)) return scan.badRanges
  const tail: BadRange = {
    from: scan.endPosition,
    to: fileBytes,
    fromOffset: scan.nextOffset,
    toOffset: recovery.nextBaseOffset ?? Math.max(recovery.summary?.nextOffset ?? 0, scan.nextOffset),
    problem: scan.tailProblem
  }
  return [...scan.badRanges, tail]
}

/** Whether every batch is known to begin where the one before it ends. */
function isDense(segment: Segment, summary: SegmentSummary | undefined): boolean {
  return summary !== undefined && summary.coveredOffsets === summary.nextOffset - segment.baseOffset
}

/** The epochs of offsets that a summary vouches for. */
function epochsOf(summary: SegmentSummary | undefined): (offset: number) => number | undefined {
  if (summary === undefined) return unknownEpoch
  const epochs = new LeaderEpochs(summary.epochs)
  return (offset) => (offset < summary.nextOffset ? epochs.epochAt(offset) : undefined)
}

function damagedReport(path: string, bad: BadRange): DamageReport {
  const savedAs = damagedPath(path, bad.from)
  const sizeBytes = bad.to - bad.from
  return {
    kind: 'damaged-range',
    path,
    position: bad.from,
    sizeBytes,
    fromOffset: bad.fromOffset,
    toOffset: bad.toOffset,
    savedAs,
    message:
      `${path} is damaged at byte ${bad.from}: ${bad.problem}. ${sizeBytes} bytes were moved to ${savedAs}; ` +
      `offsets ${bad.fromOffset} to ${bad.toOffset - 1} may be missing`
  }
}

function tornReport(path: string, scan: ScanResult, fileBytes: number): DamageReport {
  const sizeBytes = fileBytes - scan.endPosition
  return {
    kind: 'torn-tail',
    path,
    position: scan.endPosition,
    sizeBytes,
    fromOffset: scan.nextOffset,
    toOffset: scan.nextOffset,
    savedAs: undefined,
    message: `${path} ended with ${sizeBytes} bytes of an unfinished write (${scan.tailProblem}); they were cut`
  }
}
