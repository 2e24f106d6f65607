import type { FileSystem } from '../../environment/environment.ts'
import { CorruptionError } from '../../errors.ts'
import { type OnDamage, rebuiltReport } from '../damage.ts'
import { offsetName, offsetOfName, SNAPSHOT_SUFFIX } from '../segment/file-names.ts'
import type { ProducerEntry } from './producer-entry.ts'
import { decodeSnapshot } from './snapshot.ts'

/** A partition's directory and the segments in it. */
export interface SnapshotPlace {
  readonly place: { readonly files: FileSystem }
  readonly directory: string
  readonly segments: readonly { readonly baseOffset: number }[]
}

/** Path of the snapshot of the producers as they were when the log ended at `offset`. */
export function snapshotPath(directory: string, offset: number): string {
  return `${directory}/${offsetName(offset)}${SNAPSHOT_SUFFIX}`
}

/** Offsets of the snapshots in a directory, falling. */
export function snapshotOffsets(files: FileSystem, directory: string): number[] {
  return files
    .list(directory)
    .map((entry) => offsetOfName(entry.name, SNAPSHOT_SUFFIX))
    .filter((offset) => offset !== undefined)
    .sort((a, b) => b - a)
}

/** Removes snapshots that are neither at the start of a segment nor at `keepOffset`. */
export function removeStraySnapshots(log: SnapshotPlace, keepOffset: number): void {
  const kept = new Set(log.segments.map((segment) => segment.baseOffset))
  kept.add(keepOffset)
  for (const offset of snapshotOffsets(log.place.files, log.directory)) {
    if (!kept.has(offset)) log.place.files.remove(snapshotPath(log.directory, offset))
  }
}

/**
 * The newest snapshot at or below `atMost` that can be read. A damaged one is reported and removed, since an older one, or none,
 * leads to the same state by reading more of the log.
 */
export function newestSnapshot(
  place: { readonly files: FileSystem; readonly directory: string; readonly onDamage: OnDamage },
  atMost: number
): { readonly offset: number; readonly entries: ProducerEntry[] } | undefined {
  for (const offset of snapshotOffsets(place.files, place.directory)) {
    if (offset > atMost) continue
    const path = snapshotPath(place.directory, offset)
    try {
      return { offset, entries: decodeSnapshot(path, place.files.readFile(path)) }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      place.onDamage(rebuiltReport(path, `${error.message}; the producers are read from the log again`))
      place.files.remove(path)
    }
  }
  return undefined
}
