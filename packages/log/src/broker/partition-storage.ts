import type { Environment } from '../environment/environment.ts'
import { CorruptionError } from '../errors.ts'
import { openPartition } from '../partition/open-partition.ts'
import type { Partition } from '../partition/partition.ts'
import { SyncScheduler } from '../partition/sync-scheduler.ts'
import { TailCacheBudget } from '../partition/tail-cache.ts'
import { noteFailedSync } from '../storage/after-crash.ts'
import { DirectoryCheckpoint, readDirectoryCheckpoint } from '../storage/checkpoint/directory-checkpoints.ts'
import { decodeLeaderEpochs, LEADER_EPOCH_CHECKPOINT } from '../storage/checkpoint/leader-epochs.ts'
import { type LogConfig, parseLogConfig } from '../storage/log-config.ts'
import type { BrokerConfig } from './broker-config.ts'
import type { OnBrokerEvent } from './event.ts'
import { METADATA_TOPIC, MetadataLog } from './metadata-log.ts'
import { partitionName } from './partition-directories.ts'
import type { TopicInfo } from './topic-registry.ts'

/** Id of the metadata topic, the same in every cluster (KIP-500). */
const METADATA_TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** Configuration of the metadata log, which nothing may delete from. */
const metadataConfig: LogConfig = parseLogConfig({
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'max.message.bytes': String(64 * 1024 * 1024)
})

/** What the storage of a log directory needs. */
export interface PartitionStorageOptions {
  readonly environment: Environment
  /** The log directory. */
  readonly directory: string
  readonly config: BrokerConfig
  readonly report: OnBrokerEvent
}

/** Opens the partitions of one log directory, which share its group commit and its cache. */
export class PartitionStorage {
  readonly #options: PartitionStorageOptions
  readonly #scheduler: SyncScheduler
  readonly #tailBudget = new TailCacheBudget()
  readonly #logStarts: ReadonlyMap<string, number>

  constructor(options: PartitionStorageOptions) {
    const { environment, directory, report } = options
    this.#options = options
    this.#scheduler = new SyncScheduler({ timers: environment.timers, directory })
    this.#scheduler.register({
      sync: () => Promise.resolve(),
      directoryFailed: (error) => {
        noteFailedSync(environment.files, directory)
        report({ kind: 'directory-failed', error })
      }
    })
    this.#logStarts = readDirectoryCheckpoint(
      { files: environment.files, directory, onDamage: (damage) => report({ kind: 'damage', report: damage }) },
      DirectoryCheckpoint.logStart
    )
  }

  /** Whether a sync failed, so that nobody knows what the disk holds. */
  get hasFailed(): boolean {
    return this.#scheduler.failure !== undefined
  }

  openMetadataLog(): Promise<MetadataLog> {
    const { environment, directory, config, report } = this.#options
    return MetadataLog.open({
      environment,
      directory: `${directory}/${partitionName(METADATA_TOPIC, 0)}`,
      nodeId: config.brokerId,
      onDamage: (damage) => report({ kind: 'damage', report: damage }),
      onSnapshotFailed: (error) => report({ kind: 'job-failed', job: 'metadata snapshot', error }),
      lastEpoch: this.#lastEpoch(partitionName(METADATA_TOPIC, 0)),
      // Whoever leads the quorum must not forget what it promised, so this log is synced in every mode.
      openPartition: (leaderEpoch) =>
        this.#open({
          topic: METADATA_TOPIC,
          topicId: METADATA_TOPIC_ID,
          index: 0,
          leaderEpoch,
          config: metadataConfig,
          fsync: 'always'
        })
    })
  }

  /** @throws CorruptionError when the directory belongs to another topic of that name */
  openPartition(topic: TopicInfo, index: number): Promise<Partition> {
    const { name, topicId, partitions, configs } = topic
    return this.#open({
      topic: name,
      topicId,
      index,
      leaderEpoch: partitions[index].leaderEpoch,
      config: logConfig(configs),
      fsync: this.#options.config.fsync
    })
  }

  #open(partition: {
    readonly topic: string
    readonly topicId: string
    readonly index: number
    readonly leaderEpoch: number
    readonly config: LogConfig
    readonly fsync: BrokerConfig['fsync']
  }): Promise<Partition> {
    const { environment, directory, report } = this.#options
    const { files, clock, timers } = environment
    return openPartition({
      ...partition,
      files,
      clock,
      timers,
      directory,
      scheduler: this.#scheduler,
      tailBudget: this.#tailBudget,
      logStartOffset: this.#logStarts.get(partitionName(partition.topic, partition.index)),
      onDamage: (damage) => report({ kind: 'damage', report: damage })
    })
  }

  /** Latest leader epoch that a partition's checkpoint names; 0 when it has none, or none that can be read. */
  #lastEpoch(name: string): number {
    const { environment, directory } = this.#options
    const path = `${directory}/${name}/${LEADER_EPOCH_CHECKPOINT}`
    if (!environment.files.exists(path)) return 0
    try {
      return decodeLeaderEpochs(path, environment.files.readFile(path)).at(-1)?.epoch ?? 0
    } catch (error) {
      if (error instanceof CorruptionError) return 0
      throw error
    }
  }
}

/** What a topic's configurations say about its partitions' logs; the others are passed over. */
function logConfig(configs: ReadonlyMap<string, string>): LogConfig {
  return parseLogConfig(Object.fromEntries(configs))
}
