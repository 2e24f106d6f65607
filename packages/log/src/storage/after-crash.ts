import type { FileSystem } from '../environment/environment.ts'
import { offsetOfName, SegmentSuffix } from './segment/file-names.ts'
import { readSummary } from './segment/summary.ts'

/** Name of the file in a log directory that says that a sync of something in it failed. */
export const SYNC_FAILED = '.millrace-sync-failed'

const PIECE_BYTES = 1024 * 1024

/**
 * Notes that a sync failed. The operating system has marked the bytes clean that it could not write: readers see them until the power goes,
 * and no later sync writes them. The note itself is not synced: it is needed for as long as those bytes are seen, and goes with them. What
 * fails here is passed over, since it is already known that the disk does.
 */
export function noteFailedSync(files: FileSystem, directory: string): void {
  try {
    files.open(`${directory}/${SYNC_FAILED}`, 'write').close()
  } catch {
    // Without the note, only a restart of the machine shows what the disk holds.
  }
}

/**
 * Makes durable what a process that was killed left in the page cache, before anyone believes it: the names in the log directory and in the
 * partitions' (a sync of a file does not cover its name); and, where a failed sync was noted, the bytes of every segment that its summary does
 * not vouch for, by writing them again.
 * @throws FileSystemError when the disk still fails; the note stays then.
 */
export async function settleAfterCrash(files: FileSystem, directory: string): Promise<void> {
  const note = `${directory}/${SYNC_FAILED}`
  const syncFailed = files.exists(note)
  const partitions = files.list(directory).filter(({ kind }) => kind === 'directory')
  await Promise.all(
    partitions.map(async ({ name }) => {
      if (syncFailed) await rewriteSegments(files, `${directory}/${name}`)
      await files.syncDirectory(`${directory}/${name}`)
    })
  )
  if (syncFailed) files.remove(note)
  await files.syncDirectory(directory)
}

async function rewriteSegments(files: FileSystem, directory: string): Promise<void> {
  for (const { name } of files.list(directory)) {
    if (offsetOfName(name, SegmentSuffix.log) === undefined) continue
    const path = `${directory}/${name}`
    const summary = readSummary(files, path.slice(0, -SegmentSuffix.log.length) + SegmentSuffix.summary)
    await rewriteFrom(files, path, typeof summary === 'string' ? 0 : summary.logSizeBytes)
  }
}

/** The same bytes at the same places: a crash on the way changes nothing. */
async function rewriteFrom(files: FileSystem, path: string, fromByte: number): Promise<void> {
  const file = files.open(path, 'write')
  try {
    const sizeBytes = file.size()
    for (let at = fromByte; at < sizeBytes; at += PIECE_BYTES) {
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, sizeBytes - at))
      file.write([piece.subarray(0, file.read(piece, at))], at)
    }
    await file.datasync()
  } finally {
    file.close()
  }
}
