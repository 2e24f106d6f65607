import type { Timers } from '../../environment/environment.ts'
import { giveUpFiles } from '../delete-segments.ts'
import type { PartitionLog } from '../partition-log.ts'
import { snapshotOffsets, snapshotPath } from '../producer/snapshot-files.ts'
import { Segment } from '../segment/segment.ts'
import type { SegmentSummary } from '../segment/summary.ts'
import { CompactionInterrupted } from './errors.ts'
import { commitSwap, nameSwapped, nameSwappedSummary, undoSwap } from './swap-files.ts'

/** Which segments a written one replaces. */
export interface Replacement {
  readonly log: PartitionLog
  readonly timers: Timers
  /** Neighbours in the log, rising. */
  readonly replaced: readonly Segment[]
  /** Of the new segment, whose files are written and synced under `.cleaned`. */
  readonly summary: SegmentSummary
}

/**
 * Puts a compacted segment in the place of those it was made from (see `swap-files.ts` for the order on disk). Readers notice nothing: a read
 * copies what it returns in one go, so it sees the old segments or the new one.
 * @throws CompactionInterrupted when they are no longer part of the log, or files of theirs are still to be written; nothing has changed then.
 */
export async function replaceSegments(replacement: Replacement): Promise<void> {
  const { log, timers, replaced, summary } = replacement
  const { files } = log.place
  const { baseOffset } = replaced[0]
  if (!isInPlace(log, replaced)) throw new CompactionInterrupted()
  try {
    await commitSwap(files, log.directory, baseOffset)
  } catch (error) {
    await undoSwap(files, log.directory, baseOffset)
    throw error
  }
  if (!isInPlace(log, replaced)) {
    await undoSwap(files, log.directory, baseOffset)
    throw new CompactionInterrupted()
  }
  const { createdMs, logSizeBytes } = summary
  const segment = new Segment(files, {
    directory: log.directory,
    baseOffset,
    sizeBytes: logSizeBytes,
    createdMs,
    summary
  })
  log.segments.splice(log.segments.indexOf(replaced[0]), replaced.length, segment)
  giveUpFiles(log, replaced, timers)
  nameSwapped(files, log.directory, baseOffset)
  await files.syncDirectory(log.directory)
  nameSwappedSummary(files, log.directory, baseOffset)
  log.sync.namesChanged()
}

/**
 * Removes the producers' snapshots below `endOffset`. They may tell of a transaction whose marker is about to go, which would then never end
 * for whoever begins from them.
 */
export function removeSnapshotsBelow(log: PartitionLog, endOffset: number): void {
  for (const offset of snapshotOffsets(log.place.files, log.directory)) {
    if (offset < endOffset) log.place.files.remove(snapshotPath(log.directory, offset))
  }
}

function isInPlace(log: PartitionLog, replaced: readonly Segment[]): boolean {
  const first = log.segments.indexOf(replaced[0])
  return (
    first >= 0 &&
    replaced.every((segment, index) => log.segments[first + index] === segment && log.sync.isSettled(segment))
  )
}
