import { UsageError } from '@millrace/log'
import type { Subtopology, Topology } from '../graph/topology.ts'
import { type CompiledGraph, compile } from '../processor/compile.ts'
import type { DropCounter } from '../processor/dropped-records.ts'
import type { RecordCollector } from '../processor/record-collector.ts'
import type { StoresOfTask } from '../processor/task-context.ts'
import type { ErrorPolicies } from './error-policy.ts'
import { type FetchedRecords, PartitionQueue } from './partition-queue.ts'
import { processRecord } from './process-record.ts'
import type { RecordRun } from './record-run.ts'
import { emissionGuard, mayGoOn, type RecoverableError, recordRecovery } from './recovery.ts'
import { staged, unstaged } from './stage.ts'
import { StreamTime } from './stream-time.ts'

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
  /** Full name of an internal topic. */
  readonly internalTopic: (name: string) => string
  readonly policies?: ErrorPolicies
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
 * reads the log, the clock or a timer: batches are offered to it, and it is told when to process and when to flush.
 */
export class Task {
  /** `<subtopology>_<partition>`. */
  readonly id: string
  readonly partition: number
  readonly #graph: CompiledGraph
  readonly #run: RecordRun

  constructor(options: TaskOptions) {
    const { partition, stores, policies = {}, collector, onSkipped } = options
    this.id = `${options.subtopology.id}_${partition}`
    this.partition = partition
    const time = new StreamTime()
    const dropCounter = (node: string) => time.dropCounter(node)
    const stage = mayGoOn(policies) ? staged(collector) : unstaged(collector)
    stage.join(stores)
    const recovery = { policies, collector, dropCounter, ...(onSkipped && { onSkipped }) }
    this.#graph = compile(options.topology, options.subtopology.id, {
      stores,
      collector: stage.collector,
      internalTopic: options.internalTopic,
      stage: stage.join,
      operatorTime: (node) => time.operator(node),
      dropCounter,
      guardEmission: emissionGuard(recovery, stage),
      ...(options.inspect && { inspect: options.inspect })
    })
    const queues = queuesOf(this.#graph, time, options)
    this.#run = { queues, time, stage, dropCounter, recover: recordRecovery(recovery) }
    for (const bytes of options.savedTimes ?? []) time.restore(bytes)
  }

  /** Takes fetched batches over; they stay read-only. */
  offer(fetched: FetchedRecords): void {
    this.#queueOf(fetched.topic).offer(fetched)
  }

  /**
   * Processes up to `maxRecords`; returns how many. Fewer means that there is nothing (more) to do until more is offered.
   * @throws what a callback or a store threw, when no policy covers it. The task is then to be closed and its transaction aborted.
   */
  process(maxRecords: number): number {
    let processed = 0
    while (processed < maxRecords && processRecord(this.#run)) processed++
    return processed
  }

  /** Emits what waits for the commit, node after node. Not to be interleaved with `process`. */
  flush(): void | Promise<void> {
    return this.#flushFrom(0)
  }

  /** Where each input stands that anything was fetched of, with the time state as metadata. */
  consumedOffsets(): readonly ConsumedOffset[] {
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
      if (flushed) return flushed.then(() => this.#flushFrom(index + 1))
    }
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
