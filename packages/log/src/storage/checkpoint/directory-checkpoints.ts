import { writeFileAtomically } from '../../environment/atomic-file.ts'
import type { FileSystem } from '../../environment/environment.ts'
import { CorruptionError } from '../../errors.ts'
import { type OnDamage, rebuiltReport } from '../damage.ts'
import { isMissing } from '../errors.ts'
import { decodeTextCheckpoint, encodeTextCheckpoint, parseCount } from './text-checkpoint.ts'

/** Kafka's checkpoint files of a log directory, each one offset for every partition. */
export const DirectoryCheckpoint = {
  /** All below is synced. */
  recoveryPoint: 'recovery-point-offset-checkpoint',
  /** Where `DeleteRecords` moved the start of the log. */
  logStart: 'log-start-offset-checkpoint',
  /** The high watermark. */
  highWatermark: 'replication-offset-checkpoint',
  /** First offset that the log cleaner has not seen. */
  cleaner: 'cleaner-offset-checkpoint'
} as const

/** One of {@link DirectoryCheckpoint}. */
export type DirectoryCheckpointName = (typeof DirectoryCheckpoint)[keyof typeof DirectoryCheckpoint]

/** Where a log directory is, and who hears of a checkpoint that could not be read. */
export interface CheckpointPlace {
  readonly files: FileSystem
  /** The log directory. */
  readonly directory: string
  readonly onDamage: OnDamage
}

/** Offsets by the partition's directory name, `<topic>-<partition>`. */
export type PartitionOffsets = ReadonlyMap<string, number>

/**
 * Reads a checkpoint. A missing one is empty; a damaged one is reported and empty as well, since all of them can be made again
 * from the partitions (at the price of a longer recovery).
 */
export function readDirectoryCheckpoint(place: CheckpointPlace, name: DirectoryCheckpointName): Map<string, number> {
  const path = `${place.directory}/${name}`
  try {
    return decode(path, place.files.readFile(path))
  } catch (error) {
    if (isMissing(error)) return new Map()
    if (!(error instanceof CorruptionError)) throw error
    place.onDamage(rebuiltReport(path, `${error.message}; it is ignored and will be written again`))
    return new Map()
  }
}

/** Replaces a checkpoint, atomically and synced. */
export async function writeDirectoryCheckpoint(
  place: Pick<CheckpointPlace, 'files' | 'directory'>,
  name: DirectoryCheckpointName,
  offsets: PartitionOffsets
): Promise<void> {
  const entries = [...offsets].map(([partition, offset]) => {
    const dash = partition.lastIndexOf('-')
    return `${partition.slice(0, dash)} ${partition.slice(dash + 1)} ${offset}`
  })
  await writeFileAtomically(place.files, `${place.directory}/${name}`, encodeTextCheckpoint(entries))
}

function decode(path: string, content: Buffer): Map<string, number> {
  const offsets = new Map<string, number>()
  // Kafka leaves a checkpoint empty until it has something to say.
  if (content.length === 0) return offsets
  for (const [topic, partition, offset] of decodeTextCheckpoint(path, content, 3)) {
    const value = parseCount(offset)
    if (value === undefined || parseCount(partition) === undefined) {
      throw new CorruptionError({ message: `Checkpoint ${path} is damaged: no offset for ${topic}`, path, position: 0 })
    }
    offsets.set(`${topic}-${partition}`, value)
  }
  return offsets
}
