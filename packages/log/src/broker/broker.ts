import type { Environment } from '../environment/environment.ts'
import { FileSystemError } from '../errors.ts'
import { finalizeFeatures, registerBroker } from '../quorum/metadata-controller.ts'
import { noteFailedSync, settleAfterCrash } from '../storage/after-crash.ts'
import { leaveCleanShutdownMarker, takeCleanShutdownMarker } from '../storage/checkpoint/clean-shutdown.ts'
import type { Api, RequestOf, ResponseOf } from '../wire/api.ts'
import { BackgroundJobs } from './background-jobs.ts'
import type { BrokerConfig } from './broker-config.ts'
import { Checkpoints } from './checkpoints.ts'
import { CleanerJob, type PartitionCompaction } from './cleaner-job.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { GroupHost } from './coordination/group-host.ts'
import type { PartitionDirectory } from './coordination/partition-directory.ts'
import { TransactionHost } from './coordination/transaction-host.ts'
import { DelayedFetches } from './delayed-fetch.ts'
import { dispatch, isServed } from './dispatch.ts'
import { BrokerClosedError } from './errors.ts'
import type { OnBrokerEvent } from './event.ts'
import type { BrokerContext, RequestSession } from './handler.ts'
import { InternalTopics } from './internal-topics.ts'
import { type LogDirectory, openLogDirectory } from './log-directory.ts'
import type { MetadataLog } from './metadata-log.ts'
import { type PartitionDirectories, tidyPartitionDirectories } from './partition-directories.ts'
import { PartitionStorage } from './partition-storage.ts'
import { PartitionTable } from './partition-table.ts'
import { randomUuid } from './uuid.ts'

/** What a broker needs to start. */
export interface BrokerOptions {
  readonly environment: Environment
  /** The log directory. */
  readonly directory: string
  readonly config: BrokerConfig
  /** What others are told who want the directory, e.g. `pid 4711`. */
  readonly holder: string
  /** Address that clients are told to connect to. */
  readonly advertised: { readonly host: string; readonly port: number }
  readonly onEvent: OnBrokerEvent
}

/** A running broker, which leads every partition in its directory. */
export interface Broker {
  readonly clusterId: string
  readonly brokerId: number
  readonly directory: string
  /**
   * Answers one request. The broker begins with requests in the order of the calls.
   * @throws MillraceError when the response has no place for what went wrong: a connection should be closed then
   */
  serve<A extends Api>(api: A, request: RequestOf<A>, session: RequestSession): Promise<ResponseOf<A>>
  serves(api: Api): boolean
  /** Levels of the finalized features. */
  features(): ReadonlyMap<string, number>
  /** How compaction of each partition of a compacted topic stands, most in need first. */
  compaction(): PartitionCompaction[]
  /** Ends waiting requests, syncs and closes every partition, and leaves the directory as cleanly shut down. */
  close(): Promise<void>
}

/**
 * Starts a broker:
 * 1. Take the directory: its lock, its identity.
 * 2. Take the marker of a clean shutdown away, so that a crash while loading does not look clean (KAFKA-10471). After a
 *    crash, make durable what is seen of the directory.
 * 3. Open the metadata log and take office as its leader.
 * 4. Register: every partition gets a new leader epoch, so that what an earlier run left in flight is told apart.
 * 5. Put aside directories that belong to no topic, then open the partitions.
 * 6. Start the coordinators: groups before transactions, whose markers they hear of.
 * 7. Start the periodic jobs.
 *
 * What was taken is given back when a step fails.
 * @throws LockHeldError, FormatVersionError, UsageError, FileSystemError, CorruptionError
 */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { environment, config } = options
  const directory = await openLogDirectory(environment, {
    path: options.directory,
    nodeId: config.brokerId,
    holder: options.holder
  })
  try {
    const clean = await takeCleanShutdownMarker(environment.files, directory.path)
    if (!clean) await settleAfterCrash(environment.files, directory.path)
    return await startInDirectory(options, directory)
  } catch (error) {
    if (error instanceof FileSystemError) noteFailedSync(environment.files, directory.path)
    directory.lock.release()
    throw error
  }
}

async function startInDirectory(options: BrokerOptions, directory: LogDirectory): Promise<Broker> {
  const { environment, config, onEvent } = options
  const place = { environment, path: directory.path, report: onEvent }
  const storage = new PartitionStorage({ environment, directory: directory.path, config, report: onEvent })
  const metadata = await storage.openMetadataLog()
  const delayedFetches = new DelayedFetches(environment.timers)
  const table = new PartitionTable({
    ...place,
    brokerId: config.brokerId,
    fileDeleteDelayMs: config.fileDeleteDelayMs,
    openPartition: (topic, index) => storage.openPartition(topic, index),
    onRemoved: () => delayedFetches.wakeAll()
  })
  try {
    await register(metadata, options)
    const topics = new ClusterTopics({ log: metadata, config, random: environment.random, lifecycle: table })
    await openPartitions(place, { metadata, topics, table })
    const context = makeContext(options, { clusterId: directory.clusterId, topics, table, delayedFetches })
    await startCoordinators(context)
    return new RunningBroker({ environment, context, directory, storage, metadata, table })
  } catch (error) {
    await Promise.allSettled([table.close(), metadata.close()])
    throw error
  }
}

async function openPartitions(
  place: PartitionDirectories,
  { metadata, topics, table }: { metadata: MetadataLog; topics: ClusterTopics; table: PartitionTable }
): Promise<void> {
  await tidyPartitionDirectories(place, {
    hasName: (name) => topics.get(name) !== undefined,
    wasRemoved: (topicId) => metadata.removedTopicIds.has(topicId)
  })
  await Promise.all(topics.list().map((topic) => table.created(topic)))
}

/** Groups first: they hear of the markers that transactions write. */
async function startCoordinators({ groups, transactions }: BrokerContext): Promise<void> {
  try {
    await groups.start()
    await transactions.start()
  } catch (error) {
    groups.close()
    transactions.close()
    throw error
  }
}

/** Bumps the leader epochs; in a new cluster, also finalizes the features. */
async function register(metadata: MetadataLog, { environment, config, advertised }: BrokerOptions): Promise<void> {
  const incarnationId = randomUuid(environment.random)
  await metadata.commit((image) => ({ records: finalizeFeatures(image), result: undefined }))
  await metadata.commit((image, nextOffset) => ({
    records: registerBroker(image, {
      brokerId: config.brokerId,
      incarnationId,
      brokerEpoch: nextOffset,
      endPoints: [{ name: 'PLAINTEXT', ...advertised }]
    }),
    result: undefined
  }))
}

interface ContextParts {
  readonly clusterId: string
  readonly topics: ClusterTopics
  readonly table: PartitionTable
  readonly delayedFetches: DelayedFetches
}

function makeContext(options: BrokerOptions, parts: ContextParts): BrokerContext {
  const { environment, config, advertised, onEvent } = options
  const { clusterId, topics, table, delayedFetches } = parts
  const internalTopics = new InternalTopics(topics, config)
  const partitions: PartitionDirectory = {
    get: (topic, index) => table.get(topic, index),
    partitionCount: (topic) => topics.get(topic)?.partitions.length ?? 0,
    ensureInternalTopic: (topic) => internalTopics.ensure(topic)
  }
  const reporter = (job: string) => (error: unknown) => onEvent({ kind: 'job-failed', job, error })
  const groups = new GroupHost({ environment, config, partitions, report: reporter('group coordinator') })
  const transactions = new TransactionHost({
    environment,
    config,
    partitions,
    allocateProducerIds: () => topics.allocateProducerIds(),
    offsets: groups,
    report: reporter('transaction coordinator')
  })
  return {
    environment,
    config,
    clusterId,
    brokerId: config.brokerId,
    advertised,
    topics,
    partitions,
    groups,
    transactions,
    delayedFetches,
    report: onEvent
  }
}

interface RunningParts {
  readonly environment: Environment
  readonly context: BrokerContext
  readonly directory: LogDirectory
  readonly storage: PartitionStorage
  readonly metadata: MetadataLog
  readonly table: PartitionTable
}

class RunningBroker implements Broker {
  readonly clusterId: string
  readonly brokerId: number
  readonly directory: string
  readonly #parts: RunningParts
  readonly #jobs: BackgroundJobs
  readonly #checkpoints: Checkpoints
  readonly #cleaner: CleanerJob
  #closing: Promise<void> | undefined

  constructor(parts: RunningParts) {
    const { environment, context, directory } = parts
    this.clusterId = context.clusterId
    this.brokerId = context.brokerId
    this.directory = directory.path
    this.#parts = parts
    this.#checkpoints = new Checkpoints({
      files: environment.files,
      directory: directory.path,
      synced: context.config.fsync === 'always'
    })
    this.#cleaner = new CleanerJob({
      timers: environment.timers,
      clock: environment.clock,
      config: context.config,
      partitions: () => parts.table.all(),
      report: context.report
    })
    this.#jobs = new BackgroundJobs(environment.timers, context.report)
    this.#startJobs()
  }

  async serve<A extends Api>(api: A, request: RequestOf<A>, session: RequestSession): Promise<ResponseOf<A>> {
    if (this.#closing !== undefined) throw new BrokerClosedError(`${api.name} was refused: the broker is closed`)
    return dispatch(this.#parts.context, { api, request }, session)
  }

  serves(api: Api): boolean {
    return isServed(api)
  }

  features(): ReadonlyMap<string, number> {
    return this.#parts.context.topics.features()
  }

  compaction(): PartitionCompaction[] {
    return this.#cleaner.status()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  #startJobs(): void {
    const { environment, context, table } = this.#parts
    const { config } = context
    this.#jobs.start({
      name: 'retention',
      intervalMs: config.retentionCheckIntervalMs,
      run: () => {
        for (const partition of table.all()) partition.applyRetention(environment.clock.nowMs())
      }
    })
    this.#jobs.start({
      name: 'high watermark checkpoint',
      intervalMs: config.highWatermarkCheckpointIntervalMs,
      run: () => this.#checkpoints.writeHighWatermarks(table.all())
    })
    this.#jobs.start({
      name: 'recovery point checkpoint',
      intervalMs: config.recoveryPointCheckpointIntervalMs,
      run: () => this.#checkpoints.writeRecoveryPoints([...table.all()])
    })
    if (!config.cleanerEnabled) return
    this.#jobs.start({
      name: 'log cleaner',
      intervalMs: config.cleanerBackoffMs,
      run: async () => {
        await this.#cleaner.run()
        await this.#checkpoints.writeCleaned(table.all())
      }
    })
  }

  async #close(): Promise<void> {
    const { environment, context, directory, storage, metadata, table } = this.#parts
    try {
      await this.#cleaner.stop()
      await this.#jobs.stop()
      context.groups.close()
      context.transactions.close()
      context.delayedFetches.finishAll()
      const partitions = [...table.all()]
      await table.close()
      await metadata.close()
      // A directory whose disk failed was not shut down cleanly, and its offsets are not what the disk holds.
      if (storage.hasFailed) return
      await this.#checkpoints.writeFinal(partitions)
      const brokerEpoch = metadata.image.brokers.get(this.brokerId)?.brokerEpoch ?? -1
      await leaveCleanShutdownMarker(environment.files, directory.path, brokerEpoch)
    } finally {
      directory.lock.release()
    }
  }
}
