import {
  AbortableTransactionError,
  ClientTimeoutError,
  type CommittedOffset,
  type Consumer,
  type Environment,
  type FetchedPartition,
  type Producer,
  partitionKey,
  UnknownOutcomeError
} from '@millrace/log'
import { type TaskId, taskName } from '../assignment/task-id.ts'
import type { StoreChange } from '../changelog/changelog-writer.ts'
import type { RestoreContext } from '../changelog/restore.ts'
import { commit } from '../commit/commit.ts'
import { start } from '../commit/start.ts'
import type { AppState } from '../observe/app-state.ts'
import type { Trace } from '../observe/trace.ts'
import type { BlobStore } from '../serde/blob-store.ts'
import { notReadyCause } from '../serde/not-ready-error.ts'
import { StoreDamagedError } from '../state/errors.ts'
import { InputFlow } from './input-flow.ts'
import type { RunningTask } from './running-task.ts'
import type { ThreadTopics } from './thread-topics.ts'

/** What a thread runs with. */
export interface StreamThreadOptions {
  readonly environment: Environment
  /** Member of the application's group. */
  readonly consumer: Consumer
  readonly producer: Producer
  readonly topics: ThreadTopics
  /** Stores that records may refer to: on the disk before a commit. */
  readonly besideLog: readonly BlobStore[]
  readonly restore: Omit<RestoreContext, 'stopped'>
  readonly commitIntervalMs: number
  /** A write buffer of this many bytes forces a commit. */
  readonly maxBufferedBytes: number
  readonly trace: Trace
  /** @param damaged why its state must not be used. */
  openTask(id: TaskId, damaged: string | undefined): Promise<RunningTask>
  /** Hears of what each poll returned. */
  fetched(partitions: readonly FetchedPartition[]): void
  onState(state: AppState): void
  /** After each commit. */
  onCommit(durationMs: number, tasks: readonly RunningTask[]): void
  /** All that the tasks have processed is committed, for now; once a turn. */
  settled(tasks: readonly RunningTask[]): void
  watched(store: string): boolean
  publish(task: RunningTask, changes: readonly StoreChange[]): void
}

/** Records a task processes before the next one has its turn. */
const TURN_RECORDS = 512
/** How long the thread processes before it lets other events run, milliseconds. */
const SLICE_MS = 8
const POLL_MS = 100
const RESTART_BACKOFF_MS = 50
/** Restarts for longer than this without a commit in between end the application (Kafka Streams' task.timeout.ms). */
const RESTART_TIMEOUT_MS = 300_000

/**
 * Runs the tasks it is assigned: polls, processes in slices, commits on time. One call of one method is under way at any time, so nothing
 * here needs a lock.
 */
export class StreamThread {
  readonly #options: StreamThreadOptions
  readonly #inputs: InputFlow
  /** In the order of their ids. */
  #tasks: readonly RunningTask[] = []
  /** Assigned and not yet started. */
  #starting: readonly TaskId[] | undefined
  /** Whether the tasks are those of the latest assignment. */
  #started = false
  #producerReady = false
  #inTransaction = false
  #lastCommitMs: number
  #stopping = false
  #restartingSinceMs: number | undefined
  #processedRecords = 0
  /** Tasks whose state turned out to be damaged, and how. */
  readonly #damaged = new Map<string, string>()

  constructor(options: StreamThreadOptions) {
    this.#options = options
    this.#inputs = new InputFlow(options.consumer)
    this.#lastCommitMs = options.environment.clock.monotonicMs()
  }

  /** The tasks running now. */
  get tasks(): readonly RunningTask[] {
    return this.#tasks
  }

  /** Records processed since the thread began, whatever became of them. */
  get processedRecords(): number {
    return this.#processedRecords
  }

  /** Records between what was processed and the ends of the inputs, as far as known. */
  lag(): number {
    return this.#inputs.lag()
  }

  /** Ends `run` after a last commit. */
  stop(): void {
    this.#stopping = true
  }

  /**
   * Runs until `stop`, or until an error that a restart from the last commit cannot mend.
   * @throws that error. Tasks, producer and consumer are closed in any case.
   */
  async run(): Promise<void> {
    const options = this.#options
    options.topics.subscribe({
      assigned: async (partitions) => {
        this.#starting = await options.topics.tasksOf(partitions)
      },
      revoked: () => this.#release(true),
      lost: () => this.#release(false)
    })
    try {
      while (!this.#stopping) await this.#turn().catch((error) => this.#restart(error))
      options.onState({ status: 'closing' })
      await this.#commit()
    } finally {
      await this.#closeAll()
    }
  }

  async #turn(): Promise<void> {
    const { consumer, topics, environment, commitIntervalMs, maxBufferedBytes } = this.#options
    const busy = this.#tasks.some((task) => task.task.runnable)
    const untilCommitMs = this.#lastCommitMs + commitIntervalMs - environment.clock.monotonicMs()
    const waitMs = busy ? 0 : Math.max(0, Math.min(POLL_MS, this.#inTransaction ? untilCommitMs : POLL_MS))
    await topics.refresh()
    const fetched = await consumer.poll(waitMs)
    if (this.#starting) return this.#startTasks(this.#starting)
    this.#options.fetched(fetched)
    this.#inputs.offer(fetched)
    await this.#punctuate(environment.clock.nowMs())
    await this.#process()
    const buffered = this.#tasks.reduce((sum, task) => sum + task.stores.bufferedBytes, 0)
    const due = environment.clock.monotonicMs() - this.#lastCommitMs >= commitIntervalMs
    const asked = this.#tasks.some((task) => task.task.commitRequested)
    if (due || asked || buffered > maxBufferedBytes) await this.#commit()
    if (this.#started && !this.#inTransaction) this.#options.settled(this.#tasks)
    await new Promise<void>((resolve) => environment.timers.soon(resolve))
  }

  /** What processors scheduled by the time of day, once a turn. */
  async #punctuate(nowMs: number): Promise<void> {
    for (const task of this.#tasks) {
      if (task.task.punctuationDue(nowMs)) await this.#runTask(task, () => task.task.punctuate(nowMs))
    }
  }

  /** Tasks take turns until nothing is left, the slice is over or the write buffers are full. */
  async #process(): Promise<void> {
    const { environment } = this.#options
    const endMs = environment.clock.monotonicMs() + SLICE_MS
    for (let processed = 1; processed > 0 && environment.clock.monotonicMs() < endMs; ) {
      processed = 0
      for (const task of this.#tasks) {
        if (!task.task.runnable) continue
        await this.#runTask(task, () => {
          processed += task.task.process(TURN_RECORDS)
        })
      }
      this.#processedRecords += processed
    }
    this.#inputs.resumeCaughtUp()
  }

  /** Runs a task, inside the transaction, until nothing of it waits. */
  async #runTask(task: RunningTask, run: () => void): Promise<void> {
    if (!this.#inTransaction) {
      this.#options.producer.beginTransaction()
      this.#inTransaction = true
    }
    try {
      run()
      await task.task.waiting
    } catch (error) {
      const damage = storeDamage(error)
      if (damage) this.#damaged.set(task.name, damage.message)
      throw error
    }
  }

  async #commit(): Promise<void> {
    const { environment, producer, consumer, trace } = this.#options
    const beganMs = environment.clock.monotonicMs()
    this.#lastCommitMs = beganMs
    if (!this.#inTransaction) return
    const unit = {
      tasks: this.#tasks,
      producer,
      besideLog: this.#options.besideLog,
      group: () => consumer.groupMetadata(),
      nowMs: () => environment.clock.nowMs(),
      watched: (store: string) => this.#options.watched(store),
      publish: (task: RunningTask, changes: readonly StoreChange[]) => this.#options.publish(task, changes)
    }
    await this.#options.topics.during(commit(unit, trace))
    this.#inTransaction = false
    this.#restartingSinceMs = undefined
    // From the end of one commit to the begin of the next, as Kafka Streams counts: a slow disk must not leave no time to process.
    this.#lastCommitMs = environment.clock.monotonicMs()
    this.#options.onCommit(this.#lastCommitMs - beganMs, this.#tasks)
  }

  async #startTasks(ids: readonly TaskId[]): Promise<void> {
    const { consumer, restore, producer, trace, onState } = this.#options
    onState({ status: 'restoring' })
    await this.#closeTasks()
    const tasks: RunningTask[] = []
    try {
      for (const id of ids) tasks.push(await this.#options.openTask(id, this.#damaged.get(taskName(id))))
      const initializeProducer = async () => {
        if (!this.#producerReady) await producer.initTransactions()
        this.#producerReady = true
      }
      const seek = (committed: ReadonlyMap<string, CommittedOffset>) => this.#seek(tasks, committed)
      const parts = {
        tasks,
        consumer,
        initializeProducer,
        seek,
        restore: { ...restore, stopped: () => this.#stopping }
      }
      await this.#options.topics.during(start(parts, trace))
    } catch (error) {
      await Promise.all(tasks.map((task) => task.close()))
      throw error
    }
    this.#starting = undefined
    this.#damaged.clear()
    this.#tasks = tasks
    this.#started = true
    for (const task of tasks) this.#inputs.add(task)
    this.#lastCommitMs = this.#options.environment.clock.monotonicMs()
    if (!this.#stopping) onState({ status: 'running' })
  }

  async #seek(
    tasks: readonly RunningTask[],
    committed: ReadonlyMap<string, CommittedOffset>
  ): Promise<ReadonlyMap<string, CommittedOffset>> {
    const inputs = tasks.flatMap((task) => task.inputs)
    const initial = await this.#options.topics.initialOffsets(
      inputs.filter(({ topic, partition }) => !committed.has(partitionKey(topic, partition)))
    )
    const positions = new Map(committed)
    for (const [key, offset] of initial) positions.set(key, { offset, leaderEpoch: -1, metadata: '' })
    for (const input of inputs) {
      const position = positions.get(partitionKey(input.topic, input.partition))
      if (position !== undefined) this.#options.consumer.seek(input, position.offset)
    }
    return positions
  }

  /** Gives all tasks up, after a commit if one is still possible. The next assignment starts them anew. */
  async #release(canCommit: boolean): Promise<void> {
    this.#starting = undefined
    if (canCommit) await this.#commit().catch((error) => this.#abort(error))
    else await this.#abort(undefined)
    await this.#closeTasks()
  }

  /** Back to the last commit, and on from there, unless the error would only come again. */
  async #restart(error: unknown): Promise<void> {
    const ids = this.#starting ?? this.#tasks.map((task) => task.id)
    const damage = storeDamage(error)
    if (damage && this.#damaged.size === 0) for (const task of this.#tasks) this.#damaged.set(task.name, damage.message)
    const notReady = notReadyCause(error)
    await this.#abort(error)
    await this.#closeTasks()
    const { clock, timers } = this.#options.environment
    this.#restartingSinceMs ??= clock.monotonicMs()
    const tooLong = clock.monotonicMs() - this.#restartingSinceMs > RESTART_TIMEOUT_MS
    if (tooLong || !(damage || notReady || isPassing(error))) throw error
    this.#options.onState({ status: 'restarting', reason: error })
    this.#starting = ids
    await notReady?.ready.catch(() => undefined)
    await new Promise<void>((resolve) => timers.set(RESTART_BACKOFF_MS, resolve))
  }

  /** Ends the open transaction without its effects. When that fails too, `InitProducerId` at the next start does it. */
  async #abort(error: unknown): Promise<void> {
    if (!this.#inTransaction) return
    this.#inTransaction = false
    try {
      if (error instanceof UnknownOutcomeError) this.#producerReady = false
      else await this.#options.producer.abortTransaction()
      this.#options.trace('abort:transaction-aborted')
    } catch {
      this.#producerReady = false
    }
  }

  async #closeTasks(): Promise<void> {
    const tasks = this.#tasks
    this.#tasks = []
    this.#started = false
    this.#inputs.clear()
    await Promise.all(tasks.map((task) => task.close()))
    if (tasks.length > 0) this.#options.trace('abort:state-discarded')
  }

  async #closeAll(): Promise<void> {
    await this.#abort(undefined)
    await this.#closeTasks()
    await this.#options.consumer.close()
    await this.#options.producer.close()
  }
}

/** Whether it may go well from the last commit on: the transaction is lost, or the log took too long, as for the transaction of an instance that died. */
function isPassing(error: unknown): boolean {
  return (
    error instanceof AbortableTransactionError ||
    error instanceof UnknownOutcomeError ||
    error instanceof ClientTimeoutError
  )
}

/** The damage of a store behind an error, however a callback's wrapper dressed it. */
function storeDamage(error: unknown): StoreDamagedError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof StoreDamagedError) return cause
  return undefined
}
