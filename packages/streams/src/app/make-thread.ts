import type { Admin, Consumer, Environment, Producer } from '@millrace/log'
import { durationMs } from '../graph/duration.ts'
import { longestWorkMs } from '../graph/map-async-node.ts'
import type { Topology } from '../graph/topology.ts'
import type { AppState, RestoreProgress } from '../observe/app-state.ts'
import type { SkewReport } from '../observe/skew.ts'
import { deepFreeze } from '../processor/freeze.ts'
import type { WatchHub } from '../query/watch-hub.ts'
import { blobStoresIn } from '../serde/beside-log.ts'
import { LevelEngine } from '../state/level-engine.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import type { AppStart } from './app-options.ts'
import { CatchUp } from './catch-up.ts'
import { changelogCatalog } from './changelog-catalog.ts'
import { GlobalTablesFeed } from './global-tables-feed.ts'
import { prepareTopics } from './internal-topics.ts'
import { MatchedTopics } from './matched-topics.ts'
import { ProducerCollector } from './producer-collector.ts'
import { RepartitionPurge } from './repartition-purge.ts'
import type { ChangelogCatalog } from './running-task.ts'
import type { SkewMeter } from './skew-meter.ts'
import { openStateDirectory, type StateDirectory, stateRoot } from './state-directory.ts'
import { StreamThread, type StreamThreadOptions } from './stream-thread.ts'
import { type EngineFactory, openTask } from './task-opener.ts'
import { ThreadTopics } from './thread-topics.ts'
import { repartitionTopics } from './topic-plan.ts'

/** Whom the thread tells what it does. */
export interface ThreadListeners {
  readonly hub: WatchHub
  readonly skew: SkewMeter
  onState(state: AppState): void
  onRestore(progress: RestoreProgress): void
  onCommit(durationMs: number): void
}

/** A thread, and how to give back what it was made with. */
export interface ThreadResources {
  readonly thread: StreamThread
  readonly globals?: GlobalTablesFeed
  readonly catchUp: CatchUp
  skew(): SkewReport
  release(): Promise<void>
}

/** Uncommitted data older than this is aborted by the coordinator; a commit comes every 100 ms or so. */
const TRANSACTION_TIMEOUT_MS = 60_000
/** What brokers allow unless told otherwise (`transaction.max.timeout.ms`). */
const MAX_TRANSACTION_TIMEOUT_MS = 900_000
const DEFAULT_BUFFERED_BYTES = 64 * 1024 * 1024

/** Makes the topics, the clients and the thread of an application. Nothing has run when it fails. */
export async function makeThread(given: AppStart, listeners: ThreadListeners): Promise<ThreadResources> {
  const { log, options } = given
  const state = await stateOf(given)
  const admin = log.admin()
  try {
    // What cannot be kept beside the log is found out before anything is made there.
    for (const store of blobStoresIn(given.topology.nodes)) await store.open?.()
    const matched = await matchedTopics(admin, given)
    const { topology, plan } = matched.current
    const start = { ...given, topology }
    const restoreConsumer = log.consumer({ isolation: 'read_committed' })
    const catalog = await changelogCatalog(log, { admin, plan, consumer: restoreConsumer })
    const globals = await GlobalTablesFeed.open(log, {
      topology,
      plan,
      policies: options.errors ?? {},
      listeners: {
        changed: (change) => listeners.hub.publish([change]),
        ...(options.onSkipped && { onSkipped: options.onSkipped })
      }
    })
    const purge = new RepartitionPurge({
      admin,
      clock: log.environment.clock,
      intervalMs: durationMs('repartitionPurgeInterval', options.repartitionPurgeInterval ?? '30s', { leastMs: 1 }),
      topics: repartitionTopics(topology)
    })
    const parts = { matched, state, catalog, restoreConsumer, purge, ...(globals && { globals }) }
    const threadParts = threadOptions(start, listeners, { ...parts, admin })
    const catchUp = new CatchUp({
      admin,
      topology: () => matched.current.topology,
      ...(globals && { globals: (ends) => globals.reached(ends) }),
      wake: () => threadParts.consumer.wakeup()
    })
    const thread = new StreamThread({ ...threadParts, settled: (tasks) => catchUp.settled(tasks) })
    const release = async () => {
      await purge.idle()
      await globals?.close()
      await restoreConsumer.close()
      await admin.close()
      state?.release()
    }
    const skew = () => listeners.skew.report(matched.current.topology)
    return { thread, release, skew, catchUp, ...(globals && { globals }) }
  } catch (error) {
    await admin.close()
    state?.release()
    throw error
  }
}

function matchedTopics(admin: Admin, { topology, log, options }: AppStart): Promise<MatchedTopics> {
  const createTopics = options.createTopics ?? (log.directory !== undefined || log.url === 'memory:' ? {} : false)
  const policies = options.errors ?? {}
  const { internalTopicConfigs } = options
  return MatchedTopics.open(topology, {
    admin,
    clock: log.environment.clock,
    refreshMs: durationMs('topicRefreshInterval', options.topicRefreshInterval ?? '5m', { leastMs: 1 }),
    prepare: (found) =>
      prepareTopics(admin, found, { createTopics, policies, ...(internalTopicConfigs && { internalTopicConfigs }) })
  })
}

/** A commit may have to wait for asynchronous work. */
function transactionTimeoutMs({ nodes }: Topology): number {
  const asynchronous = nodes.filter((node) => node.kind === 'map-async')
  const workMs = asynchronous.reduce((sum, node) => sum + longestWorkMs(node), 0)
  return Math.min(MAX_TRANSACTION_TIMEOUT_MS, TRANSACTION_TIMEOUT_MS + workMs)
}

async function countPartitions(admin: Admin, topic: string): Promise<number | undefined> {
  const found = (await admin.listTopics()).find(({ name }) => name === topic)
  return found?.partitions.length
}

/** What of a thread depends on the topics. */
interface PreparedParts {
  readonly admin: Admin
  readonly matched: MatchedTopics
  readonly state: StateDirectory | undefined
  readonly catalog: ChangelogCatalog
  readonly restoreConsumer: Consumer
  readonly purge: RepartitionPurge
  readonly globals?: GlobalTablesFeed
}

function threadOptions(
  start: AppStart,
  listeners: ThreadListeners,
  parts: PreparedParts
): Omit<StreamThreadOptions, 'settled'> {
  const { log, topology, options, commitIntervalMs } = start
  const { matched, state, restoreConsumer, admin, purge } = parts
  const { environment } = log
  const { consumer, producer } = groupClients(start, state)
  const topics = new ThreadTopics({
    application: topology.name,
    environment,
    admin,
    matched,
    consumer,
    offsets: restoreConsumer,
    tasksWithState: () => tasksWithState(environment, state)
  })
  return {
    environment,
    consumer,
    producer,
    topics,
    besideLog: blobStoresIn(topology.nodes),
    restore: { consumer: restoreConsumer, environment, progress: listeners.onRestore },
    commitIntervalMs,
    maxBufferedBytes: options.maxBufferedBytes ?? DEFAULT_BUFFERED_BYTES,
    trace: options.trace ?? (() => undefined),
    openTask: taskOpener(start, parts, { consumer, producer }),
    fetched: (partitions) => listeners.skew.fetched(partitions),
    onState: listeners.onState,
    onCommit: (durationMs, tasks) => {
      listeners.onCommit(durationMs)
      purge.committed(() => tasks.flatMap((task) => task.consumedOffsets()))
    },
    watched: (store) => listeners.hub.watched(store),
    publish: (_task, changes) => listeners.hub.publish(changes)
  }
}

/** The two clients of a transaction: what reads the inputs, and what writes all that follows from them. */
interface GroupClients {
  readonly consumer: Consumer
  readonly producer: Producer
}

function groupClients(start: AppStart, state: StateDirectory | undefined): GroupClients {
  const { log, topology, options } = start
  const processId = state?.processId ?? log.environment.random.bytes(12).toString('hex')
  const producer = log.producer({
    transactionalId: `${topology.name}-${processId}-1`,
    transactionTimeoutMs: transactionTimeoutMs(topology),
    lingerMs: start.commitIntervalMs,
    // All topics were there at the start; one made anew would lack its configuration, and what was in it.
    createTopics: false
  })
  const consumer = log.consumer({
    groupId: topology.name,
    isolation: 'read_committed',
    offsetReset: 'earliest',
    sessionTimeoutMs: durationMs('sessionTimeout', options.sessionTimeout ?? '45s', { leastMs: 6_000 })
  })
  return { consumer, producer }
}

function taskOpener(
  { log, options }: AppStart,
  { admin, matched, state, catalog, globals }: PreparedParts,
  { consumer, producer }: GroupClients
): StreamThreadOptions['openTask'] {
  const fixed = {
    environment: log.environment,
    catalog,
    engine: options.engine ?? defaultEngine(state),
    taskPath: (task: string) => state?.taskPath(task) ?? task,
    collector: new ProducerCollector(producer, matched.current.plan.partitions, (topic) =>
      countPartitions(admin, topic)
    ),
    policies: options.errors ?? {},
    ...(globals && { globalTable: (store: string) => globals.rows(store) }),
    ...(options.onSkipped && { onSkipped: options.onSkipped }),
    ...(options.freezeValues && { inspect: deepFreeze }),
    wake: () => consumer.wakeup()
  }
  return (id, damaged) => openTask(id, { ...fixed, ...matched.current, ...(damaged !== undefined && { damaged }) })
}

async function stateOf({ log, topology, options }: AppStart): Promise<StateDirectory | undefined> {
  const root = stateRoot(log, options.stateDirectory)
  if (root === undefined) return undefined
  return openStateDirectory(log.environment, root, { clusterId: log.clusterId, application: topology.name })
}

function defaultEngine(state: StateDirectory | undefined): EngineFactory {
  if (state === undefined) return async () => new MemoryEngine()
  return (path, environment) => LevelEngine.open(path, environment)
}

/** Tasks that left a directory here: their natural home, as far as this process knows. */
function tasksWithState(environment: Environment, state: StateDirectory | undefined): string[] {
  if (state === undefined) return []
  const entries = environment.files.list(state.path)
  return entries.filter(({ name, kind }) => kind === 'directory' && /^\d+_\d+$/.test(name)).map(({ name }) => name)
}
