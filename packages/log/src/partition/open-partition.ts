import type { Clock, FileSystem, Timers } from '../environment/environment.ts'
import type { OnDamage } from '../storage/damage.ts'
import type { LogConfig } from '../storage/log-config.ts'
import { openPartitionLog } from '../storage/open-partition-log.ts'
import { CommitProgress, type FsyncMode } from './commit-progress.ts'
import { LeaderPartition } from './leader-partition.ts'
import type { SyncScheduler } from './sync-scheduler.ts'
import type { TailCacheBudget } from './tail-cache.ts'

/** How a partition is opened by the broker that leads it. */
export interface OpenPartitionOptions {
  readonly files: FileSystem
  readonly clock: Clock
  readonly timers: Timers
  /** The log directory; the partition's own is `<directory>/<topic>-<index>` and is made by the first append. */
  readonly directory: string
  readonly topic: string
  readonly index: number
  /** Unpadded base64url uuid. */
  readonly topicId: string
  readonly config: LogConfig
  /** `next` is one more than the log has seen. */
  readonly leaderEpoch: number | 'next'
  /** Default `always`. */
  readonly fsync?: FsyncMode
  /** Shared by all partitions of the log directory. */
  readonly scheduler: SyncScheduler
  /** Shared by all partitions of the log directory. */
  readonly tailBudget: TailCacheBudget
  /** From `log-start-offset-checkpoint`; needed only where the partition's own files do not say. */
  readonly logStartOffset?: number | undefined
  /** Hears of everything that was found broken. */
  readonly onDamage: OnDamage
}

/**
 * Opens a partition to lead it. Damage is repaired and reported; what was kept is synced before it counts as committed.
 * @throws CorruptionError when the directory belongs to another topic; LogDirectoryFailedError when a sync fails.
 */
export async function openPartition(options: OpenPartitionOptions): Promise<LeaderPartition> {
  const { files, clock, timers, scheduler, tailBudget } = options
  const place = {
    files,
    clock,
    logDirectory: options.directory,
    topic: options.topic,
    partition: options.index,
    topicId: options.topicId,
    onDamage: options.onDamage
  }
  const log = await openPartitionLog(place, options.config, { logStartOffset: options.logStartOffset })
  const leaderEpoch = options.leaderEpoch === 'next' ? log.epochs.latestEpoch + 1 : options.leaderEpoch
  const progress = new CommitProgress({ log, fsync: options.fsync ?? 'always', scheduler })
  return new LeaderPartition({ log, leaderEpoch, progress, clock, timers, tailBudget })
}
