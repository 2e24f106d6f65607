import type { FileSystem } from '../environment/environment.ts'
import type { Partition } from '../partition/partition.ts'
import {
  DirectoryCheckpoint,
  type DirectoryCheckpointName,
  writeDirectoryCheckpoint
} from '../storage/checkpoint/directory-checkpoints.ts'
import { partitionName } from './partition-directories.ts'

/** Where checkpoints go. */
export interface CheckpointsOptions {
  readonly files: FileSystem
  readonly directory: string
  /** Whether the high watermark follows the disk, so that it may stand for the recovery point. */
  readonly synced: boolean
}

/**
 * Kafka's checkpoint files at the top of a log directory. Each is written only when it would change. Our own partitions keep what they need
 * beside their segments; these are for Kafka's tools, and for a Kafka broker that is given the directory.
 */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  readonly #written = new Map<DirectoryCheckpointName, string>()

  constructor(options: CheckpointsOptions) {
    this.#options = options
  }

  writeHighWatermarks(partitions: Iterable<Partition>): Promise<void> {
    return this.#write(DirectoryCheckpoint.highWatermark, partitions, (partition) => partition.highWatermark)
  }

  /** Recovery points and log starts. */
  async writeRecoveryPoints(partitions: readonly Partition[]): Promise<void> {
    const { synced } = this.#options
    const recoveryPoint = (partition: Partition) => (synced ? partition.highWatermark : partition.logStartOffset)
    await this.#write(DirectoryCheckpoint.recoveryPoint, partitions, recoveryPoint)
    await this.#write(DirectoryCheckpoint.logStart, partitions, (partition) => partition.logStartOffset)
  }

  /** How far compaction came; our own partitions know it from their segments. */
  writeCleaned(partitions: Iterable<Partition>): Promise<void> {
    const compacted = [...partitions].filter((partition) => partition.config.compacts)
    return this.#write(DirectoryCheckpoint.cleaner, compacted, (partition) => partition.cleaner.cleanedTo)
  }

  /** All of them, of partitions that were closed and so are synced to their ends. */
  async writeFinal(partitions: readonly Partition[]): Promise<void> {
    await this.#write(DirectoryCheckpoint.recoveryPoint, partitions, (partition) => partition.logEndOffset)
    await this.#write(DirectoryCheckpoint.logStart, partitions, (partition) => partition.logStartOffset)
    await this.writeHighWatermarks(partitions)
  }

  async #write(
    name: DirectoryCheckpointName,
    partitions: Iterable<Partition>,
    offsetOf: (partition: Partition) => number
  ): Promise<void> {
    const offsets = new Map<string, number>()
    for (const partition of partitions) {
      // A partition without records has no directory.
      if (partition.logEndOffset === 0) continue
      offsets.set(partitionName(partition.topic, partition.index), offsetOf(partition))
    }
    const fingerprint = JSON.stringify([...offsets])
    if (this.#written.get(name) === fingerprint) return
    await writeDirectoryCheckpoint(this.#options, name, offsets)
    this.#written.set(name, fingerprint)
  }
}
