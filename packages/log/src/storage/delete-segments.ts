import type { Timers } from '../environment/environment.ts'
import { isMissing } from './errors.ts'
import type { PartitionLog } from './partition-log.ts'
import { snapshotPath } from './producer/snapshot-files.ts'
import { DELETED_SUFFIX, SegmentSuffix } from './segment/file-names.ts'
import type { Segment } from './segment/segment.ts'

/**
 * Takes the oldest `count` segments out of a log: their files get the ending `.deleted` at once, and are removed after
 * `file.delete.delay.ms` (or by the next start). The log begins at the next segment then.
 */
export function deleteOldestSegments(log: PartitionLog, count: number, timers: Timers): void {
  const gone = log.segments.splice(0, count)
  log.logStartOffset = Math.max(
    log.logStartOffset,
    log.active === undefined ? log.endOffset : log.segments[0].baseOffset
  )
  log.epochs.truncateFromStart(log.logStartOffset)
  giveUpFiles(log, gone, timers)
}

/** Takes the files of segments that are no longer part of the log out of the way, and removes them later. */
export function giveUpFiles(log: PartitionLog, segments: readonly Segment[], timers: Timers): void {
  const renamed = segments.flatMap((segment) => renameFiles(log, segment))
  log.sync.namesChanged()
  timers.set(log.config.fileDeleteDelayMs, () => removeFiles(log, renamed), { background: true })
}

function renameFiles(log: PartitionLog, segment: Segment): string[] {
  segment.deleted = true
  log.sync.retired(segment)
  const paths = Object.values(SegmentSuffix).map((suffix) => segment.path + suffix)
  return [...paths, snapshotPath(log.directory, segment.baseOffset)].filter((path) => renameToDeleted(log, path))
}

function renameToDeleted(log: PartitionLog, path: string): boolean {
  try {
    log.place.files.rename(path, path + DELETED_SUFFIX)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}

function removeFiles(log: PartitionLog, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      log.place.files.remove(path + DELETED_SUFFIX)
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}
