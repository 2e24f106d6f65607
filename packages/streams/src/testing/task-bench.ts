import { decodeBatches, InvariantError, RecordBatchBuilder } from '@millrace/log'
import type { Topology } from '../graph/topology.ts'
import { keptRecord, type OutgoingRecord } from '../processor/record-collector.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import { TaskStores } from '../state/task-stores.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import type { RecoverableError } from '../task/recovery.ts'
import { Task } from '../task/task.ts'
import { DriverClock } from './driver-clock.ts'

/** A record for a bench's input: text, or bytes as they are. */
export interface BenchRecord {
  readonly key: string | null
  readonly value: string | Buffer | null
  readonly timestamp: number
}

/** A sent record with its bytes as text. */
export interface BenchOutput {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
  readonly headers: Readonly<Record<string, string>>
}

/**
 * One task of a topology's first sub-topology on real batches and a memory engine, with commits and crashes by hand: what was sent is kept
 * only once it is committed, as in a transaction.
 */
export class TaskBench {
  readonly skipped: RecoverableError[] = []
  readonly #topology: Topology
  readonly #policies: ErrorPolicies
  readonly #stores: TaskStores
  readonly #log = new Map<string, { records: readonly BenchRecord[]; offset: number }>()
  #committed: OutgoingRecord[] = []
  #sent: OutgoingRecord[] = []
  #savedTimes: Buffer[] = []
  readonly #clock = new DriverClock(0)
  #task: Task

  private constructor(topology: Topology, stores: TaskStores, policies: ErrorPolicies) {
    this.#topology = topology
    this.#stores = stores
    this.#policies = policies
    this.#task = this.#start()
  }

  static async open(topology: Topology, policies: ErrorPolicies = {}): Promise<TaskBench> {
    return new TaskBench(
      topology,
      await TaskStores.open({ definitions: topology.stores, engine: new MemoryEngine() }),
      policies
    )
  }

  get task(): Task {
    return this.#task
  }

  get stores(): TaskStores {
    return this.#stores
  }

  /** The time of day, which calls of asynchronous steps go by. */
  get clock(): DriverClock {
    return this.#clock
  }

  /** Puts records on the log and offers them in one batch. */
  feed(topic: string, records: readonly BenchRecord[]): void {
    const known = this.#log.get(topic) ?? { records: [], offset: 0 }
    this.#log.set(topic, { ...known, records: [...known.records, ...records] })
    this.#offer(topic, known.records.length)
  }

  /** Commits all that was processed. */
  async commit(): Promise<void> {
    await this.#task.flush()
    const time = this.#task.timeState()
    await this.#stores.apply({ changelogOffsets: new Map(), time, nowMs: 0 })
    this.#committed.push(...this.#sent)
    this.#sent = []
    this.#savedTimes = [time]
    for (const { topic, offset } of this.#task.consumedOffsets()) {
      const known = this.#log.get(topic)
      if (known) this.#log.set(topic, { ...known, offset })
    }
  }

  /** Loses what is not committed, and starts again from there; resolves when the task is ready. */
  async crash(): Promise<void> {
    this.#task.close()
    await this.#stores.discard()
    this.#sent = []
    this.#task = this.#start()
    for (const [topic, { offset }] of this.#log) this.#offer(topic, offset)
    await this.#task.waiting
  }

  /** Everything committed so far. */
  output(): BenchOutput[] {
    return this.#committed.map(({ topic, key, value, timestamp, headers }) => ({
      topic,
      key: textOf(key),
      value: textOf(value),
      timestamp,
      headers: Object.fromEntries(headers.map((header) => [header.key, header.value?.toString() ?? '']))
    }))
  }

  #start(): Task {
    const [subtopology] = this.#topology.subtopologies
    if (!subtopology) throw new InvariantError(`topology ${this.#topology.name} is empty`)
    return new Task({
      topology: this.#topology,
      subtopology,
      partition: 0,
      stores: this.#stores,
      policies: this.#policies,
      savedTimes: this.#savedTimes,
      environment: this.#clock,
      nowMs: () => this.#clock.nowMs,
      internalTopic: (name) => `${this.#topology.name}-${name}`,
      onSkipped: (error) => this.skipped.push(error),
      collector: {
        send: (record) => this.#sent.push(keptRecord(record)),
        partitionCount: () => 1,
        lookUp: () => undefined
      }
    })
  }

  #offer(topic: string, position: number): void {
    const { records = [] } = this.#log.get(topic) ?? {}
    const builder = new RecordBatchBuilder()
    for (const { key, value, timestamp } of records.slice(position)) {
      builder.append(bytesOf(key), bytesOf(value), timestamp)
    }
    const batches = builder.recordCount === 0 ? [] : decodeBatches(builder.build({ baseOffset: position }))
    const end = records.length
    this.#task.offer({ topic, partition: 0, batches, position, nextOffset: end, lastStableOffset: end })
  }
}

function bytesOf(value: string | Buffer | null): Buffer | null {
  return typeof value === 'string' ? Buffer.from(value) : value
}

function textOf(bytes: Buffer | null): string | null {
  return bytes === null ? null : bytes.toString()
}
