import { dirname } from 'node:path'
import type { Environment } from '../environment/environment.ts'
import { memoryEnvironment } from '../environment/memory-environment.ts'
import type { DamageReport } from '../storage/damage.ts'
import { parseLogConfig } from '../storage/log-config.ts'
import { type BuildOptions, RecordBatchBuilder } from '../wire/batch/batch-builder.ts'
import { decodeBatches } from '../wire/batch/record-batch.ts'
import type { FsyncMode } from './commit-progress.ts'
import type { LeaderPartition } from './leader-partition.ts'
import { openPartition } from './open-partition.ts'
import { SyncScheduler } from './sync-scheduler.ts'
import { TailCacheBudget } from './tail-cache.ts'

/** How a test's partition is opened. */
export interface FixtureOptions {
  readonly environment?: Environment
  readonly config?: Readonly<Record<string, string>>
  readonly fsync?: FsyncMode
  readonly leaderEpoch?: number | 'next'
  readonly topicId?: string
  readonly tailBytes?: number
  readonly logDirectory?: string
}

/** The log directory of a test, over which partitions are opened again and again. */
export interface PartitionFixture {
  readonly environment: Environment
  readonly scheduler: SyncScheduler
  readonly damage: DamageReport[]
  /** Path of the partition's directory. */
  readonly directory: string
  open(options?: FixtureOptions): Promise<LeaderPartition>
}

/** A topic id for tests. */
export const FIXTURE_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** Opens partition 0 of the topic `clicks` in a log directory; by default in memory. */
export function partitionFixture(defaults: FixtureOptions = {}): PartitionFixture {
  const environment = defaults.environment ?? memoryEnvironment()
  const { files, clock, timers } = environment
  const logDirectory = defaults.logDirectory ?? '/log'
  files.makeDirectory(logDirectory)
  const scheduler = new SyncScheduler({ timers, directory: logDirectory })
  const damage: DamageReport[] = []
  return {
    environment,
    scheduler,
    damage,
    directory: `${logDirectory}/clicks-0`,
    open: async (options = {}) => {
      await files.syncDirectory(dirname(logDirectory))
      const chosen = { ...defaults, ...options }
      return openPartition({
        files,
        clock,
        timers,
        directory: logDirectory,
        topic: 'clicks',
        index: 0,
        topicId: chosen.topicId ?? FIXTURE_TOPIC_ID,
        config: parseLogConfig({ 'message.timestamp.after.max.ms': '9223372036854775807', ...chosen.config }),
        leaderEpoch: chosen.leaderEpoch ?? 'next',
        fsync: chosen.fsync ?? 'always',
        scheduler,
        tailBudget: new TailCacheBudget(chosen.tailBytes),
        onDamage: (report) => damage.push(report)
      })
    }
  }
}

/** A batch with one record for each value; the key is `k`. */
export function batchOf(
  values: readonly string[],
  options: BuildOptions & { readonly timestampMs?: number } = {}
): Buffer {
  const builder = new RecordBatchBuilder()
  values.forEach((value, index) => {
    builder.append(Buffer.from('k'), Buffer.from(value), (options.timestampMs ?? 1_000) + index)
  })
  return builder.build(options)
}

/** One record of a partition. */
export interface ReadRecord {
  readonly offset: number
  readonly value: string
}

/** All records of data batches from an offset on, read in pieces of `maxBytes`. */
export function readAll(
  partition: Pick<LeaderPartition, 'read'>,
  from = 0,
  options: { readonly isolation?: 'read_uncommitted' | 'read_committed' | 'log_end'; readonly maxBytes?: number } = {}
): ReadRecord[] {
  const records: ReadRecord[] = []
  let offset = from
  for (;;) {
    const { isolation = 'read_uncommitted', maxBytes = 1_000_000 } = options
    const read = partition.read({ offset, maxBytes, isolation })
    if (read.chunks.length === 0) return records
    for (const batch of read.chunks.flatMap((chunk) => decodeBatches(chunk))) {
      const cursor = batch.records()
      while (!batch.isControl && cursor.next()) {
        if (cursor.offset >= offset) records.push({ offset: cursor.offset, value: String(cursor.value()) })
      }
      offset = batch.lastOffset + 1
    }
  }
}
