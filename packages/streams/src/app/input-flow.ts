import { type Consumer, type FetchedPartition, partitionKey } from '@millrace/log'
import type { Task } from '../task/task.ts'

/** An input partition with more records than this waiting is not fetched further. */
const PAUSE_ABOVE_RECORDS = 40_000
const RESUME_BELOW_RECORDS = 20_000

/** What a task is to its inputs. */
export interface InputTask {
  readonly inputs: readonly { readonly topic: string; readonly partition: number }[]
  readonly task: Pick<Task, 'buffered' | 'full' | 'inFlight'>
  offer(fetched: FetchedPartition): void
}

/** Hands fetched batches to the tasks they are for, and holds back partitions whose task is behind, or has as much asynchronous work as it may. */
export class InputFlow {
  readonly #consumer: Pick<Consumer, 'pause' | 'resume'>
  readonly #tasks = new Map<string, InputTask>()
  readonly #paused = new Map<string, { readonly topic: string; readonly partition: number }>()
  /** Records on the log behind what was fetched, by partition. */
  readonly #behind = new Map<string, number>()

  constructor(consumer: Pick<Consumer, 'pause' | 'resume'>) {
    this.#consumer = consumer
  }

  /** Begins to offer a task its inputs. */
  add(task: InputTask): void {
    for (const { topic, partition } of task.inputs) this.#tasks.set(partitionKey(topic, partition), task)
  }

  /** Forgets all tasks. */
  clear(): void {
    this.#consumer.resume([...this.#paused.values()])
    this.#tasks.clear()
    this.#paused.clear()
    this.#behind.clear()
  }

  /** Takes over what a poll returned. */
  offer(fetched: readonly FetchedPartition[]): void {
    for (const one of fetched) {
      const key = partitionKey(one.topic, one.partition)
      const task = this.#tasks.get(key)
      if (!task) continue
      task.offer(one)
      this.#behind.set(key, Math.max(0, one.lastStableOffset - one.nextOffset))
      if (!task.task.full && task.task.buffered(one.topic) <= PAUSE_ABOVE_RECORDS) continue
      const partition = { topic: one.topic, partition: one.partition }
      this.#paused.set(key, partition)
      this.#consumer.pause([partition])
    }
  }

  /** Lets partitions be fetched again whose task has caught up. */
  resumeCaughtUp(): void {
    for (const [key, partition] of this.#paused) {
      const task = this.#tasks.get(key)
      if (task && (task.task.full || task.task.buffered(partition.topic) >= RESUME_BELOW_RECORDS)) continue
      this.#paused.delete(key)
      this.#consumer.resume([partition])
    }
  }

  /** Records between what the tasks processed and the ends of their inputs, as of the last fetches. */
  lag(): number {
    let lag = 0
    for (const behind of this.#behind.values()) lag += behind
    for (const { task } of new Set(this.#tasks.values())) lag += task.buffered() + task.inFlight
    return lag
  }
}
