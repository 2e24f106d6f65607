import {
  type CommittedOffset,
  type Consumer,
  type FetchedPartition,
  type GroupOffset,
  InvariantError,
  partitionKey
} from '@millrace/log'
import type { TaskId } from '../assignment/task-id.ts'
import type { RestoreJob } from '../changelog/restore.ts'
import { type ChangelogFacts, judgeStore, type StoreVerdict } from '../changelog/store-verdict.ts'
import type { CommittableTask } from '../commit/commit-unit.ts'
import type { StartingTask } from '../commit/start.ts'
import { noChangelog } from '../state/store-meta.ts'
import type { TaskStores } from '../state/task-stores.ts'
import { Task, type TaskOptions } from '../task/task.ts'

/** What a running task is made of. */
export interface RunningTaskParts {
  readonly id: TaskId
  readonly name: string
  readonly inputs: readonly { readonly topic: string; readonly partition: number }[]
  /** Changelog topic by store name. */
  readonly changelogs: ReadonlyMap<string, string>
  /** Stores without one. */
  readonly unlogged: readonly string[]
  /** Opens the state on disk, or, when it cannot be used, an empty one: `discard` empties it first. */
  openStores(discard: boolean): Promise<OpenedStores>
  /** Everything of the task but its stores and what the committed offsets bring. */
  readonly taskOptions: Omit<TaskOptions, 'savedTimes' | 'stores'>
  readonly catalog: ChangelogCatalog
}

/** A task's stores, and why those on disk were set aside, if they were. */
export interface OpenedStores {
  readonly stores: TaskStores
  readonly setAside?: string
}

/** The changelogs as the cluster describes them. */
export interface ChangelogCatalog {
  readonly clusterId: string
  readonly topics: ReadonlyMap<string, { readonly topicId: string; readonly deleteRetentionMs: number }>
  /** Reads offsets; in no group. */
  readonly consumer: Pick<Consumer, 'beginningOffsets' | 'endOffsets'>
  nowMs(): number
}

/** A task with its stores and its place in the log, from being opened to being closed. */
export class RunningTask implements CommittableTask, StartingTask {
  readonly id: TaskId
  readonly inputs: readonly { readonly topic: string; readonly partition: number }[]
  readonly changelogs: ReadonlyMap<string, string>
  readonly #parts: RunningTaskParts
  #opened: OpenedStores
  #task: Task | undefined
  /** Where inputs began; committed for those of which nothing was fetched yet, so that the first commit already covers all of them, and the time. */
  #begun: readonly GroupOffset[] = []

  private constructor(parts: RunningTaskParts, opened: OpenedStores) {
    this.id = parts.id
    this.inputs = parts.inputs
    this.changelogs = parts.changelogs
    this.#parts = parts
    this.#opened = opened
  }

  /** Opens the task's stores; it runs after `resume`. */
  static async open(parts: RunningTaskParts): Promise<RunningTask> {
    return new RunningTask(parts, await parts.openStores(false))
  }

  get name(): string {
    return this.#parts.name
  }

  get partition(): number {
    return this.id.partition
  }

  get stores(): TaskStores {
    return this.#opened.stores
  }

  /** The processing half. @throws InvariantError before `resume`. */
  get task(): Task {
    if (!this.#task) throw new InvariantError(`task ${this.name} was used before it was started`)
    return this.#task
  }

  /** Whether a store is one of the task's. */
  has(store: string): boolean {
    return this.changelogs.has(store) || this.#parts.unlogged.includes(store)
  }

  offer(fetched: FetchedPartition): void {
    this.task.offer(fetched)
  }

  flush(): void | Promise<void> {
    return this.task.flush()
  }

  timeState(): Buffer {
    return this.task.timeState()
  }

  consumedOffsets(): readonly GroupOffset[] {
    const consumed = this.task.consumedOffsets()
    const metadata = this.timeState().toString('base64')
    const untouched = this.#begun.filter((known) => !consumed.some(({ topic }) => topic === known.topic))
    return [...consumed, ...untouched.map((known) => ({ ...known, metadata }))]
  }

  async restoreJobs(): Promise<readonly RestoreJob[]> {
    const facts = this.changelogs.size === 0 ? new Map<string, ChangelogFacts>() : await this.#changelogFacts()
    const verdicts = judgeAll(this.stores, facts)
    const reason = this.#opened.setAside ?? reasonToRebuild(verdicts)
    if (reason !== undefined && this.#opened.setAside === undefined) {
      await this.stores.close()
      this.#opened = { ...(await this.#parts.openStores(true)), setAside: reason }
    }
    const { catalog, unlogged } = this.#parts
    for (const store of unlogged) this.stores.setIdentity(store, { clusterId: catalog.clusterId, topicId: noChangelog })
    return [...facts].map(([store, fact]) => {
      this.stores.setIdentity(store, { clusterId: fact.clusterId, topicId: fact.topicId })
      const verdict = verdicts.get(store)
      const fromOffset = reason === undefined && verdict ? verdict.fromOffset : fact.startOffset
      return {
        store,
        task: this.name,
        stores: this.stores,
        topic: this.changelogs.get(store) ?? '',
        partition: this.partition,
        fromOffset,
        endOffset: fact.endOffset,
        ...(reason === undefined ? {} : { rebuildReason: reason })
      }
    })
  }

  resume(positions: ReadonlyMap<string, CommittedOffset>): void {
    this.#begun = this.inputs.flatMap(({ topic, partition }) => {
      const known = positions.get(partitionKey(topic, partition))
      return known ? [{ topic, partition, ...known }] : []
    })
    const saved = this.#begun.map((offset) => Buffer.from(offset.metadata ?? '', 'base64'))
    const ofStores = this.stores.timeState()
    const savedTimes = ofStores ? [...saved, ofStores] : saved
    this.#task = new Task({ ...this.#parts.taskOptions, stores: this.stores, savedTimes })
  }

  /** Releases graph and stores. What is not committed is gone. */
  async close(): Promise<void> {
    this.#task?.close()
    this.#task = undefined
    await this.stores.close()
  }

  async #changelogFacts(): Promise<Map<string, ChangelogFacts>> {
    const { catalog } = this.#parts
    const partitions = [...this.changelogs.values()].map((topic) => ({ topic, partition: this.partition }))
    const starts = await catalog.consumer.beginningOffsets(partitions)
    const ends = await catalog.consumer.endOffsets(partitions, 'read_uncommitted')
    const facts = new Map<string, ChangelogFacts>()
    for (const [store, topic] of this.changelogs) {
      const key = partitionKey(topic, this.partition)
      const described = catalog.topics.get(topic)
      const [startOffset, endOffset] = [starts.get(key), ends.get(key)]
      if (!described || startOffset === undefined || endOffset === undefined) {
        throw new InvariantError(`changelog ${topic} of task ${this.name} is not known to the cluster`)
      }
      facts.set(store, { ...described, startOffset, endOffset, clusterId: catalog.clusterId, nowMs: catalog.nowMs() })
    }
    return facts
  }
}

function judgeAll(stores: TaskStores, facts: ReadonlyMap<string, ChangelogFacts>): Map<string, StoreVerdict> {
  return new Map([...facts].map(([store, fact]) => [store, judgeStore(stores.identity(store), fact)]))
}

/** Stores of one task share an engine and are rebuilt together. */
function reasonToRebuild(verdicts: ReadonlyMap<string, StoreVerdict>): string | undefined {
  for (const [store, verdict] of verdicts) if (verdict.kind === 'rebuild') return `store ${store}: ${verdict.reason}`
  return undefined
}
