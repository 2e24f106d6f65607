import { CorruptionError } from '../errors.ts'
import { decodeLeaderEpochs, type EpochStart, LEADER_EPOCH_CHECKPOINT } from './checkpoint/leader-epochs.ts'
import { readPartitionMetadata } from './checkpoint/partition-metadata.ts'
import { rebuiltReport } from './damage.ts'
import { isMissing } from './errors.ts'
import type { LogPlace } from './partition-log.ts'
import { offsetOfName, SegmentSuffix, TEMPORARY_SUFFIXES } from './segment/file-names.ts'
import { Segment } from './segment/segment.ts'
import { readSummary, type SegmentSummary } from './segment/summary.ts'

/** A segment as it lies on disk. */
export interface FoundSegment {
  readonly segment: Segment
  readonly summary: SegmentSummary | undefined
  /** Whether all of it is to be read: a reader met bad bytes. */
  readonly suspect: boolean
}

/** What a partition's directory holds. */
export interface FoundPartition {
  readonly segments: readonly FoundSegment[]
  /** Of the newest segment that has a summary. */
  readonly summary: SegmentSummary | undefined
  /** Content of the epoch checkpoint; undefined when it is missing or damaged. */
  readonly epochs: readonly EpochStart[] | undefined
  /** Whether `partition.metadata` is there and right. */
  readonly metadata: boolean
}

/**
 * Looks through a partition's directory without reading the segments: a few small files for each. Removes what a crash left
 * unfinished.
 * @throws CorruptionError when the directory belongs to another topic of the same name.
 */
export function findSegments(place: LogPlace, directory: string): FoundPartition {
  const names = place.files.list(directory).map((entry) => entry.name)
  for (const name of names) {
    if (TEMPORARY_SUFFIXES.some((suffix) => name.endsWith(suffix))) place.files.remove(`${directory}/${name}`)
  }
  const bases = names.map((name) => offsetOfName(name, SegmentSuffix.log)).filter((base) => base !== undefined)
  removeOrphans(place, directory, { names, bases: new Set(bases) })
  const segments = bases.map((baseOffset) => findSegment(place, directory, baseOffset))
  const summary = segments.findLast((found) => found.summary !== undefined)?.summary
  return {
    segments,
    summary,
    epochs: readEpochs(place, directory),
    metadata: checkTopic(place, directory, summary)
  }
}

function findSegment(place: LogPlace, directory: string, baseOffset: number): FoundSegment {
  const { files } = place
  const probe = new Segment(files, { directory, baseOffset, sizeBytes: 0, createdMs: 0 })
  const stat = files.stat(probe.log.path)
  const read = readSummary(files, probe.summaryPath)
  if (read === 'damaged') {
    place.onDamage(rebuiltReport(probe.summaryPath, `${probe.summaryPath} is damaged; the segment is read again`))
  }
  const summary = typeof read === 'string' ? undefined : read
  const options = { directory, baseOffset, sizeBytes: stat.sizeBytes, createdMs: stat.modifiedMs, summary }
  const suspect = files.exists(probe.path + SegmentSuffix.suspect)
  return { segment: new Segment(files, options), summary, suspect }
}

/** Index files and summaries whose log file is gone. */
function removeOrphans(
  place: LogPlace,
  directory: string,
  found: { readonly names: readonly string[]; readonly bases: ReadonlySet<number> }
): void {
  for (const suffix of Object.values(SegmentSuffix)) {
    if (suffix === SegmentSuffix.log) continue
    for (const name of found.names) {
      const base = offsetOfName(name, suffix)
      if (base !== undefined && !found.bases.has(base)) place.files.remove(`${directory}/${name}`)
    }
  }
}

function readEpochs(place: LogPlace, directory: string): readonly EpochStart[] | undefined {
  const path = `${directory}/${LEADER_EPOCH_CHECKPOINT}`
  try {
    return decodeLeaderEpochs(path, place.files.readFile(path))
  } catch (error) {
    if (error instanceof CorruptionError) {
      place.onDamage(rebuiltReport(path, `${error.message}; it was made again from the log`))
      return undefined
    }
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Whether `partition.metadata` names the right topic. A wrong one is put right when the log itself vouches for the topic. */
function checkTopic(place: LogPlace, directory: string, summary: SegmentSummary | undefined): boolean {
  const path = `${directory}/partition.metadata`
  let topicId: string | undefined
  let problem = 'is missing'
  try {
    topicId = readPartitionMetadata(place.files, directory)
    if (topicId !== undefined) problem = `names topic id ${topicId}`
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    problem = 'is damaged'
  }
  if (topicId === place.topicId) return true
  if (topicId !== undefined && summary?.topicId !== place.topicId) {
    throw new CorruptionError({
      message:
        `${directory} belongs to topic id ${topicId}, not to ${place.topicId}: ` +
        'it may be left from a deleted topic of the same name; move it away and start again',
      path,
      position: 0
    })
  }
  if (summary !== undefined) place.onDamage(rebuiltReport(path, `${path} ${problem}; it was written again`))
  return false
}
