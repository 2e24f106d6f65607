import type { Producer } from '@millrace/log'
import type { TaskStores } from '../state/task-stores.ts'

/** A task's stores and where their changes are logged. */
export interface ChangeloggedTask {
  /** Partition number of the task, and so of its changelogs. */
  readonly partition: number
  readonly stores: TaskStores
  /** Changelog topic by store name. */
  readonly changelogs: ReadonlyMap<string, string>
}

/** One committed change of a store, for whoever watches it. */
export interface StoreChange {
  readonly store: string
  /** Key bytes as on the changelog. */
  readonly key: Buffer
  /** Null: deleted. */
  readonly value: Buffer | null
  readonly timestamp: number
}

/**
 * Writes one record per changed key to the changelogs. Records carry the value's own time, as Kafka Streams' changelogs do.
 * @param watched whether someone wants the changes of a store once they are committed; only those are returned.
 */
export function writeChangelog(
  task: ChangeloggedTask,
  producer: Producer,
  watched: (store: string) => boolean
): StoreChange[] {
  const changes: StoreChange[] = []
  task.stores.changes((store, key, value, timestamp) => {
    const topic = task.changelogs.get(store.name)
    if (topic !== undefined) producer.enqueue(topic, task.partition, key, value, timestamp)
    if (watched(store.name)) {
      changes.push({ store: store.name, key: Buffer.from(key), value: value && Buffer.from(value), timestamp })
    }
  })
  return changes
}

/** Where each changelog stands after the transaction: the next offset to read, for the stores that wrote to it. */
export function changelogPositions(
  task: ChangeloggedTask,
  producer: Producer
): Map<string, { offset: number; leaderEpoch: number }> {
  const positions = new Map<string, { offset: number; leaderEpoch: number }>()
  for (const [store, topic] of task.changelogs) {
    const last = producer.lastOffset(topic, task.partition)
    if (last >= 0) positions.set(store, { offset: last + 1, leaderEpoch: -1 })
  }
  return positions
}
