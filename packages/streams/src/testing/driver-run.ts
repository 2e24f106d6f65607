import type { Subtopology, Topology } from '../graph/topology.ts'
import { deepFreeze } from '../processor/freeze.ts'
import type { CommittedReader } from '../state/committed-reader.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import { GlobalTables } from '../task/global-tables.ts'
import type { RecoverableError } from '../task/recovery.ts'
import { Task } from '../task/task.ts'
import { DriverClock } from './driver-clock.ts'
import { DriverLog } from './driver-log.ts'
import { fetchedRecord, type LoggedRecord } from './single-record-batch.ts'

/** One sub-topology of a test driver, or all of them: the task on partition 0, and the stores it owns. */
export interface DriverTask {
  readonly task: Task
  readonly stores: TaskStores
  readonly storeNames: readonly string[]
  /** Full names of the topics it reads. */
  readonly topics: readonly string[]
}

/** How a driver runs its topology. */
export interface TestDriverOptions {
  /** Where the wall clock begins, milliseconds since the epoch; default 0. It moves only when told to. */
  readonly nowMs?: number
  /** As `runStreams` takes them. */
  readonly errors?: ErrorPolicies
  /** Topics that exist, for sources that read by pattern. */
  readonly topics?: readonly string[]
  /**
   * Runs all sub-topologies as one task, as the test driver of Kafka Streams does: one stream time for all, and of all records that wait, also in
   * internal topics, the earliest is next. Default: one task each, as `runStreams` has them; those of the first sub-topology come first.
   */
  readonly oneTask?: boolean
}

/** All tasks of a topology on one partition each, with a log that leads what they send to whoever reads it. */
export class DriverRun {
  readonly log: DriverLog
  readonly tasks: readonly DriverTask[]
  /** Errors of the records that a policy let go. */
  readonly skipped: RecoverableError[]
  readonly #clock: DriverClock
  #changed: (() => void) | undefined
  readonly #globals: GlobalTables
  readonly #globalStores: ReadonlySet<string>
  readonly #forGlobals: LoggedRecord[] = []

  private constructor(
    topology: Topology,
    options: TestDriverOptions,
    state: {
      readonly stores: readonly TaskStores[]
      readonly globals: GlobalTables
      readonly skipped: RecoverableError[]
    }
  ) {
    const { stores, globals, skipped } = state
    this.skipped = skipped
    this.#globals = globals
    this.#globalStores = new Set(topology.globalTables.map(({ store }) => store.name))
    this.#clock = new DriverClock(options.nowMs ?? 0)
    this.log = new DriverLog((record) => this.#deliver(record))
    this.tasks = topology.subtopologies.map((subtopology, index) => {
      const task = this.#task(topology, subtopology, { stores: stores[index], options })
      return { task, stores: stores[index], storeNames: subtopology.stores, topics: topicsOf(topology, subtopology) }
    })
  }

  static async open(given: Topology, options: TestDriverOptions): Promise<DriverRun> {
    const topology = options.oneTask ? { ...given, subtopologies: [allOf(given)] } : given
    const stores = await Promise.all(topology.subtopologies.map((subtopology) => openStores(topology, subtopology)))
    const skipped: RecoverableError[] = []
    const onSkipped = (error: RecoverableError) => skipped.push(error)
    const globals = await GlobalTables.open(topology, options.errors ?? {}, { onSkipped })
    return new DriverRun(topology, options, { stores, globals, skipped })
  }

  /** The wall clock. */
  get nowMs(): number {
    return this.#clock.nowMs
  }

  /** What is committed of a store, of a task's or a global one; undefined where there is none of the name. */
  committed(store: string): CommittedReader | undefined {
    if (this.#globalStores.has(store)) return this.#globals.committed(store)
    return this.tasks.find(({ storeNames }) => storeNames.includes(store))?.stores.committed(store)
  }

  /** Runs records until none waits anywhere, with a commit after each; not while asynchronous work is under way, which a commit would wait for. */
  async run(): Promise<void> {
    await this.#followGlobals()
    for (let waiting = this.#waiting(); waiting; waiting = this.#waiting()) {
      waiting.task.process(1)
      await waiting.task.waiting
      await this.#commit()
      await this.#followGlobals()
    }
  }

  /** Moves the wall clock, and runs what is due then, and what follows from it. */
  async advance(byMs: number): Promise<void> {
    this.#clock.advance(byMs)
    for (const { task } of this.tasks) {
      if (!task.punctuationDue(this.nowMs)) continue
      task.punctuate(this.nowMs)
      await task.waiting
      await this.#commit()
    }
    await this.run()
  }

  /** Resolves when a call of an asynchronous step ends; undefined when nothing would come of waiting, but for the clock. */
  callEnded(): Promise<void> | undefined {
    if (this.#waiting()) return Promise.resolve()
    if (this.tasks.every(({ task }) => task.callsAtWork === 0)) return undefined
    return new Promise((resolve) => {
      this.#changed = resolve
    })
  }

  async close(): Promise<void> {
    this.#changed?.()
    for (const { task, stores } of this.tasks) {
      task.close()
      await stores.close()
    }
    await this.#globals.close()
  }

  async #commit(): Promise<void> {
    if (this.tasks.some(({ task }) => task.inFlight > 0)) return
    for (const { task } of this.tasks) await task.flush()
    for (const { task, stores } of this.tasks) {
      await stores.apply({ changelogOffsets: new Map(), time: task.timeState(), nowMs: this.nowMs })
    }
  }

  #waiting(): DriverTask | undefined {
    return this.tasks.find(({ task }) => task.runnable)
  }

  /** Global tables take over what came to their topics, before anything else runs. */
  async #followGlobals(): Promise<void> {
    for (const record of this.#forGlobals.splice(0)) await this.#globals.offer(fetchedRecord(record))
  }

  #deliver(record: LoggedRecord): void {
    if (this.#globals.topics.includes(record.topic)) this.#forGlobals.push(record)
    this.tasks.find(({ topics }) => topics.includes(record.topic))?.task.offer(fetchedRecord(record))
  }

  #task(
    topology: Topology,
    subtopology: Subtopology,
    parts: { readonly stores: TaskStores; readonly options: TestDriverOptions }
  ): Task {
    const { stores, options } = parts
    return new Task({
      topology,
      subtopology,
      partition: 0,
      stores,
      collector: this.log,
      globalTable: (name) => this.#globals.rows(name),
      internalTopic: (name) => internalTopic(topology, name),
      inspect: deepFreeze,
      nowMs: () => this.nowMs,
      environment: this.#clock,
      wake: () => this.#changed?.(),
      onSkipped: (error) => this.skipped.push(error),
      ...(options.errors && { policies: options.errors })
    })
  }
}

function allOf({ nodes, subtopologies }: Topology): Subtopology {
  return {
    id: 0,
    name: subtopologies.map(({ name }) => name).join('+'),
    nodes: nodes.map(({ name }) => name),
    sourceTopics: subtopologies.flatMap(({ sourceTopics }) => sourceTopics),
    repartitionSources: subtopologies.flatMap(({ repartitionSources }) => repartitionSources),
    repartitionSinks: subtopologies.flatMap(({ repartitionSinks }) => repartitionSinks),
    stores: [...new Set(subtopologies.flatMap(({ stores }) => stores))],
    copartitioned: subtopologies.flatMap(({ copartitioned }) => copartitioned)
  }
}

function openStores(topology: Topology, subtopology: Subtopology): Promise<TaskStores> {
  const definitions = topology.stores.filter(({ name }) => subtopology.stores.includes(name))
  return TaskStores.open({ definitions, engine: new MemoryEngine() })
}

function topicsOf(topology: Topology, subtopology: Subtopology): string[] {
  const internal = subtopology.repartitionSources.map((name) => internalTopic(topology, name))
  return [...subtopology.sourceTopics, ...internal]
}

function internalTopic(topology: Topology, name: string): string {
  return `${topology.name}-${name}`
}
