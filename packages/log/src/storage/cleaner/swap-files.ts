import type { FileSystem } from '../../environment/environment.ts'
import { isMissing } from '../errors.ts'
import { unknownEpoch } from '../segment/batch-check.ts'
import { scanBatches } from '../segment/batch-scan.ts'
import { CLEANED_SUFFIX, offsetName, offsetOfName, SegmentSuffix, SWAP_SUFFIX } from '../segment/file-names.ts'
import { readSummary, type SegmentSummary } from '../segment/summary.ts'

/**
 * How one segment replaces others, so that a crash at any moment leaves the old ones or the new one:
 * 1. Its files are written and synced as `<name>.cleaned`.
 * 2. All of them are renamed to `<name>.swap`, and the directory is synced. That decides it: where a `.cleaned` is left the swap is undone, else
 *    it is completed.
 * 3. The old files go, the new ones lose their ending, the directory is synced.
 * 4. Last, the summary loses its ending: up to then it says which segments were replaced.
 */
const DATA_SUFFIXES = Object.values(SegmentSuffix).filter((suffix) => suffix !== SegmentSuffix.summary)

/** Step 2: takes the written files for the new segment. */
export async function commitSwap(files: FileSystem, directory: string, baseOffset: number): Promise<void> {
  const path = `${directory}/${offsetName(baseOffset)}`
  for (const suffix of [...DATA_SUFFIXES, SegmentSuffix.summary]) {
    renameIfThere(files, path + suffix + CLEANED_SUFFIX, path + suffix + SWAP_SUFFIX)
  }
  await files.syncDirectory(directory)
}

/** Step 3, after the old files were taken away: gives the new ones their names. */
export function nameSwapped(files: FileSystem, directory: string, baseOffset: number): void {
  const path = `${directory}/${offsetName(baseOffset)}`
  for (const suffix of DATA_SUFFIXES) renameIfThere(files, path + suffix + SWAP_SUFFIX, path + suffix)
}

/** Step 4. */
export function nameSwappedSummary(files: FileSystem, directory: string, baseOffset: number): void {
  const path = `${directory}/${offsetName(baseOffset)}${SegmentSuffix.summary}`
  renameIfThere(files, path + SWAP_SUFFIX, path)
}

/** Takes step 2 back, if it was done, and removes the files. */
export async function undoSwap(files: FileSystem, directory: string, baseOffset: number): Promise<void> {
  const log = `${directory}/${offsetName(baseOffset)}${SegmentSuffix.log}`
  renameIfThere(files, log + SWAP_SUFFIX, log + CLEANED_SUFFIX)
  await files.syncDirectory(directory)
  await removeUncommitted(files, directory)
}

/**
 * Brings swaps that a crash interrupted to an end, ours and those of a Kafka broker that had the directory before.
 * @throws FileSystemError
 */
export async function finishSwaps(files: FileSystem, directory: string): Promise<void> {
  if (!endings(files, directory, CLEANED_SUFFIX).length && !endings(files, directory, SWAP_SUFFIX).length) return
  await removeUncommitted(files, directory)
  const swaps = endings(files, directory, SWAP_SUFFIX)
  const bases = [...new Set(swaps.map(baseOf).filter((base) => base !== undefined))]
  for (const baseOffset of bases.sort((a, b) => a - b)) completeSwap(files, directory, baseOffset)
  await files.syncDirectory(directory)
  for (const baseOffset of bases) nameSwappedSummary(files, directory, baseOffset)
  await files.syncDirectory(directory)
}

/** Removes `.cleaned` files and the `.swap` files that they forbid. Those go first, for good: without a `.cleaned` they would count. */
async function removeUncommitted(files: FileSystem, directory: string): Promise<void> {
  const cleaned = endings(files, directory, CLEANED_SUFFIX)
  if (cleaned.length === 0) return
  const from = Math.min(...cleaned.map((name) => baseOf(name) ?? Number.POSITIVE_INFINITY))
  for (const name of endings(files, directory, SWAP_SUFFIX)) {
    if ((baseOf(name) ?? 0) >= from) files.remove(`${directory}/${name}`)
  }
  await files.syncDirectory(directory)
  for (const name of cleaned) files.remove(`${directory}/${name}`)
  await files.syncDirectory(directory)
}

function completeSwap(files: FileSystem, directory: string, baseOffset: number): void {
  const path = `${directory}/${offsetName(baseOffset)}`
  const read = readSummary(files, path + SegmentSuffix.summary + SWAP_SUFFIX)
  const summary = typeof read === 'string' ? undefined : read
  const endOffset = replacedUpTo(files, { path, baseOffset, summary })
  for (const { name } of files.list(directory)) {
    const base = segmentFileBase(name)
    if (base !== undefined && base > baseOffset && base < endOffset) files.remove(`${directory}/${name}`)
  }
  for (const suffix of staleSuffixes(files, path, summary)) removeIfThere(files, path + suffix)
  nameSwapped(files, directory, baseOffset)
}

/** Files of the old segment at the same offset that no new one takes the place of. */
function staleSuffixes(files: FileSystem, path: string, summary: SegmentSummary | undefined): readonly string[] {
  if (summary !== undefined) return summary.transactionIndex.sizeBytes === 0 ? [SegmentSuffix.transactionIndex] : []
  // Kafka writes no summary, and renames the log before its indexes.
  const replacesLog = files.exists(path + SegmentSuffix.log + SWAP_SUFFIX)
  return replacesLog ? Object.values(SegmentSuffix).filter((suffix) => suffix !== SegmentSuffix.log) : []
}

/** Offset up to which the new segment stands for old ones: what its summary says or, as Kafka writes none, its last batch. */
function replacedUpTo(
  files: FileSystem,
  swap: { readonly path: string; readonly baseOffset: number; readonly summary: SegmentSummary | undefined }
): number {
  if (swap.summary !== undefined) return swap.summary.nextOffset
  const path = swap.path + SegmentSuffix.log + SWAP_SUFFIX
  if (!files.exists(path)) return swap.baseOffset
  const handle = files.open(path, 'read')
  try {
    const range = {
      fromPosition: 0,
      toPosition: handle.size(),
      minOffset: swap.baseOffset,
      exact: false,
      endOffset: Number.POSITIVE_INFINITY,
      epochAt: unknownEpoch,
      verifyCrc: false,
      closesGaps: false
    }
    return scanBatches(handle, range, () => undefined).nextOffset
  } finally {
    handle.close()
  }
}

function endings(files: FileSystem, directory: string, suffix: string): string[] {
  return files
    .list(directory)
    .map((entry) => entry.name)
    .filter((name) => name.endsWith(suffix))
}

/** Base offset in the name of a file that waits to become a segment's. */
function baseOf(name: string): number | undefined {
  return segmentFileBase(name.slice(0, name.lastIndexOf('.')))
}

/** Base offset in the name of one of a segment's files. */
function segmentFileBase(name: string): number | undefined {
  for (const suffix of Object.values(SegmentSuffix)) {
    const base = offsetOfName(name, suffix)
    if (base !== undefined) return base
  }
  return undefined
}

function renameIfThere(files: FileSystem, from: string, to: string): void {
  if (files.exists(from)) files.rename(from, to)
}

function removeIfThere(files: FileSystem, path: string): void {
  try {
    files.remove(path)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
