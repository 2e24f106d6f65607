import { type Environment, InvariantError, UsageError } from '@millrace/log'
import type { Subtopology, Topology } from '../graph/topology.ts'
import { type CompiledGraph, compile } from '../processor/compile.ts'
import type { DropCounter } from '../processor/dropped-records.ts'
import type { IdleRequest } from '../processor/idle-closing.ts'
import type { PunctuationRequest } from '../processor/punctuation.ts'
import type { RecordCollector } from '../processor/record-collector.ts'
import type { ProcessorContext, StoresOfTask } from '../processor/task-context.ts'
import { AsynchronousWork } from './asynchronous-work.ts'
import type { ErrorPolicies } from './error-policy.ts'
import { IdleWatches } from './idle-watches.ts'
import { type FetchedRecords, PartitionQueue } from './partition-queue.ts'
import { processRecord } from './process-record.ts'
import { Punctuations } from './punctuations.ts'
import { RecordChoice } from './record-choice.ts'
import { showHead } from './record-head.ts'
import type { RecordRun } from './record-run.ts'
import {
  emissionGuard,
  laterRecovery,
  mayGoOn,
  punctuationRecovery,
  type RecoverableError,
  type RecoveryParts,
  recordRecovery
} from './recovery.ts'
import { staged, unstaged } from './stage.ts'
import { runStaged } from './staged-run.ts'
import { StreamTime } from './stream-time.ts'
import { Waits } from './waits.ts'

/** What a task is made of. */
export interface TaskOptions {
  readonly topology: Topology
  readonly subtopology: Subtopology
  /** Partition number of all its inputs, stores and changelogs. */
  readonly partition: number
  /** Full names of the source topics that have this partition; default: all of the sub-topology's. */
  readonly topics?: readonly string[]
  readonly stores: StoresOfTask
  readonly collector: RecordCollector
  /** Rows of the global tables, which tasks share. */
  readonly globalTable?: NonNullable<ProcessorContext['globalTable']>
  /** Full name of an internal topic. */
  readonly internalTopic: (name: string) => string
  readonly policies?: ErrorPolicies
  /** The time of day, milliseconds since the epoch. Default: it stands at 0. */
  readonly nowMs?: () => number
  /** For asynchronous steps, whose calls have a time limit. A task without one needs none. */
  readonly environment?: Pick<Environment, 'timers' | 'random'>
  /** A call of an asynchronous step has ended: there may be something to `process`. Must not call the task. */
  readonly wake?: () => void
  /** Time states that were saved: of the stores, and from the metadata of each committed offset. Any order; older ones do no harm. */
  readonly savedTimes?: readonly Buffer[]
  /** Hears of every record that a policy let go. */
  readonly onSkipped?: (error: RecoverableError) => void
  /** Development: is shown every value before a callback gets it, e.g. to freeze it. */
  readonly inspect?: (value: unknown) => void
}

/** Where one input partition stands, in the form in which offsets are committed. */
export interface ConsumedOffset {
  readonly topic: string
  readonly partition: number
  /** Next offset to read. */
  readonly offset: number
  /** The task's time state, base64. */
  readonly metadata: string
}

/**
 * One sub-topology on one partition number: it owns its stores, is single-threaded, and processes records one after the other. It never
 * reads the log or sets a timer but for the calls of asynchronous steps: batches are offered to it, and it is told when to process, when to punctuate and
 * when to flush. After each of these it may be {@link waiting}: nothing else is to be asked of it before that promise resolves.
 */
export class Task {
  /** `<subtopology>_<partition>`. */
  readonly id: string
  readonly partition: number
  readonly #graph: CompiledGraph
  readonly #run: RecordRun
  readonly #punctuations: Punctuations
  readonly #recoverPunctuation: (error: unknown, timestampMs: number) => void
  readonly #asynchronous: AsynchronousWork
  readonly #idle: IdleWatches
  #waiting: Promise<void> | undefined
  #commitRequested = false

  constructor(options: TaskOptions) {
    const { partition, stores, policies = {}, collector, onSkipped, nowMs = () => 0 } = options
    this.id = `${options.subtopology.id}_${partition}`
    this.partition = partition
    const time = new StreamTime()
    const dropCounter = (node: string) => time.dropCounter(node)
    const stage = mayGoOn(policies) ? staged(collector) : unstaged(collector)
    stage.join(stores)
    const waits = new Waits()
    this.#punctuations = new Punctuations(time, nowMs)
    this.#idle = new IdleWatches(nowMs)
    const recovery: RecoveryParts = { policies, collector, dropCounter, ...(onSkipped && { onSkipped }) }
    this.#asynchronous = new AsynchronousWork({
      environment: options.environment ?? noTimers(this.id),
      run: (finish, failed) => runStaged(this.#run, finish, failed),
      failureOf: laterRecovery(recovery, (topic) => this.#queueOf(topic)),
      wake: options.wake ?? (() => undefined)
    })
    this.#graph = compile(options.topology, options.subtopology.id, {
      stores,
      collector: stage.collector,
      internalTopic: options.internalTopic,
      stage: stage.join,
      operatorTime: (node) => time.operator(node),
      dropCounter,
      guardEmission: emissionGuard(recovery, stage),
      taskId: this.id,
      streamTimeMs: () => time.taskMs,
      nowMs,
      schedule: (request) => this.#punctuations.schedule(request),
      requestCommit: () => {
        this.#commitRequested = true
      },
      mayGoOn: mayGoOn(policies),
      wait: waits.add,
      asynchronous: this.#asynchronous,
      watchIdle: this.#idle.watch,
      partition,
      ...(options.globalTable && { globalTable: options.globalTable }),
      ...(options.inspect && { inspect: options.inspect })
    })
    const queues = queuesOf(this.#graph, time, options)
    const choice = new RecordChoice(queues)
    const failing = { dropCounter, recover: recordRecovery(recovery) }
    const show = (queue: PartitionQueue): void => showHead(queue, failing)
    this.#run = { queues, choice, show, time, stage, waits, ...failing }
    this.#recoverPunctuation = punctuationRecovery(recovery)
    for (const bytes of options.savedTimes ?? []) time.restore(bytes)
    this.#punctuations.begin(options.subtopology.nodes)
    this.#wait(this.#graph.open())
  }

  /** Takes fetched batches over; they stay read-only. */
  offer(fetched: FetchedRecords): void {
    const queue = this.#queueOf(fetched.topic)
    queue.offer(fetched)
    if (queue.buffered > 0) this.#run.choice.offered(queue)
  }

  /**
   * Processes up to `maxRecords`, and what is due by stream time after each; returns how many. Fewer means that there is nothing (more) to do
   * until more is offered, or until the task is no longer waiting.
   * @throws what a callback or a store threw, when no policy covers it. The task is then to be closed and its transaction aborted.
   */
  process(maxRecords: number): number {
    let processed = 0
    const { any } = this.#asynchronous
    while (processed < maxRecords && this.#waiting === undefined) {
      if (any && !this.#goesOnAsynchronously()) break
      const done = processRecord(this.#run)
      if (done === false) break
      processed++
      if (done !== true) this.#wait(done.then(() => this.#afterRecord()))
      else if (any || this.#punctuations.dueAtStreamTime(this.#run.time.taskMs)) this.#wait(this.#afterRecord())
    }
    return processed
  }

  /** Whether `punctuate` would do anything: it takes a transaction. */
  punctuationDue(nowMs: number): boolean {
    if (this.#waiting !== undefined) return false
    return this.#punctuations.dueAtWallClock(nowMs) || (this.#idle.due(nowMs) && this.#isDry)
  }

  /**
   * Runs what is due by the time of day.
   * @throws as `process` does.
   */
  punctuate(nowMs: number): void {
    const closeIdle = (): void | Promise<void> =>
      this.#isDry ? this.#idle.fire(nowMs, (request) => this.#runPunctuation(request, nowMs)) : undefined
    const punctuated = this.#punctuations.fire('wall-clock', nowMs, (request) => this.#runPunctuation(request, nowMs))
    this.#wait(punctuated ? punctuated.then(closeIdle) : closeIdle())
  }

  /** Whether `process` would do anything: records that wait for asynchronous work in front of them, or for its commit, are not to be processed now. */
  get runnable(): boolean {
    const { ready, full } = this.#asynchronous
    return ready || (!full && this.buffered() > 0)
  }

  /** Asynchronous steps are as busy as they may be: more input is of no use for now. */
  get full(): boolean {
    return this.#asynchronous.full
  }

  /** Records that asynchronous steps have taken and not sent on; a flush waits for them. */
  get inFlight(): number {
    return this.#asynchronous.inFlight
  }

  /** Calls of asynchronous steps that are at work, and do not wait to be repeated. */
  get callsAtWork(): number {
    return this.#asynchronous.atWork
  }

  /** Work that a processor of the program waits for; rejects as `process` throws. Undefined: there is none. */
  get waiting(): Promise<void> | undefined {
    return this.#waiting
  }

  /** Whether a processor asked for a commit since the last flush. */
  get commitRequested(): boolean {
    return this.#commitRequested
  }

  /** Emits what waits for the commit, node after node. Not to be interleaved with `process`. */
  flush(): void | Promise<void> {
    this.#commitRequested = false
    return this.#flushFrom(0)
  }

  /** Where each input stands that anything was fetched of, with the time state as metadata. */
  consumedOffsets(): readonly ConsumedOffset[] {
    if (this.inFlight > 0) throw new InvariantError(`task ${this.id} would commit ${this.inFlight} records under way`)
    const metadata = this.timeState().toString('base64')
    const { partition } = this
    return this.#run.queues.flatMap(({ topic, consumedOffset: offset }) =>
      offset === undefined ? [] : [{ topic, partition, offset, metadata }]
    )
  }

  /** Partition, task and operator times, encoded. */
  timeState(): Buffer {
    return this.#run.time.encode()
  }

  /** Records offered and not yet processed: of one topic, or of all. */
  buffered(topic?: string): number {
    if (topic !== undefined) return this.#queueOf(topic).buffered
    return this.#run.queues.reduce((sum, queue) => sum + queue.buffered, 0)
  }

  /** What was dropped and why, by node, in all lives of the task. */
  dropped(): readonly DropCounter[] {
    return this.#run.time.dropCounters()
  }

  /** Releases what the graph holds. Stores are closed by whoever opened them. */
  close(): void {
    this.#graph.close()
  }

  #flushFrom(first: number): void | Promise<void> {
    const { flushes } = this.#graph
    for (let index = first; index < flushes.length; index++) {
      const flushed = flushes[index]()
      if (!flushed && !this.#run.waits.any) continue
      return Promise.resolve(flushed)
        .then(() => this.#run.waits.settled())
        .then(() => this.#flushFrom(index + 1))
    }
  }

  #wait(pending: void | Promise<void>): void {
    if (!pending) return
    const waiting = pending.finally(() => {
      this.#waiting = undefined
    })
    // Whoever asks for it meets the error.
    waiting.catch(() => undefined)
    this.#waiting = waiting
  }

  /** Sends on the results that are there; false when no record is to be processed now. */
  #goesOnAsynchronously(): boolean {
    if (this.#asynchronous.ready) this.#wait(this.#asynchronous.emit())
    return this.#waiting === undefined && !this.#asynchronous.full
  }

  #afterRecord(): void | Promise<void> {
    this.#asynchronous.admit()
    return this.#punctuateStreamTime()
  }

  #punctuateStreamTime(): void | Promise<void> {
    const { taskMs } = this.#run.time
    return this.#punctuations.fire('stream-time', taskMs, (request) => this.#runPunctuation(request, taskMs))
  }

  /** No record is here, or known to be on its way. */
  get #isDry(): boolean {
    return this.inFlight === 0 && this.#run.queues.every(({ buffered, lagging }) => buffered === 0 && !lagging)
  }

  #runPunctuation(request: IdleRequest | PunctuationRequest, timestampMs: number): void | Promise<void> {
    const running = runStaged(
      this.#run,
      () => request.run(timestampMs),
      (error) => this.#recoverPunctuation(error, timestampMs)
    )
    if (running) return running.then(() => this.#asynchronous.admit())
    this.#asynchronous.admit()
  }

  #queueOf(topic: string): PartitionQueue {
    const queue = this.#run.queues.find((candidate) => candidate.topic === topic)
    if (!queue) throw new UsageError(`task ${this.id} does not read topic ${topic}`)
    return queue
  }
}

function queuesOf(graph: CompiledGraph, time: StreamTime, options: TaskOptions): PartitionQueue[] {
  const { partition, topics } = options
  return [...graph.sources]
    .filter(([topic]) => topics === undefined || topics.includes(topic))
    .map(([topic, source]) => new PartitionQueue({ topic, partition, source, time: time.partition(topic) }))
}

function noTimers(task: string): Pick<Environment, 'timers' | 'random'> {
  const missing = (): never => {
    throw new UsageError(`task ${task} has an asynchronous step: give it an environment`)
  }
  return { timers: { set: missing, soon: missing }, random: { bytes: missing, uint32: missing } }
}
