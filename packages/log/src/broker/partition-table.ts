import type { Partition } from '../partition/partition.ts'
import type { TopicLifecycle } from './cluster-topics.ts'
import { markDeleted, type PartitionDirectories, partitionName } from './partition-directories.ts'
import type { TopicInfo } from './topic-registry.ts'

/** What the table needs. */
export interface PartitionTableOptions extends PartitionDirectories {
  readonly brokerId: number
  /** `file.delete.delay.ms`: readers that were given bytes of a deleted partition may still use its files. */
  readonly fileDeleteDelayMs: number
  readonly openPartition: (topic: TopicInfo, index: number) => Promise<Partition>
  /** Called when partitions were taken out of service. */
  readonly onRemoved: () => void
}

/** The partitions that this broker leads, open. Opening and removing the same topic follow each other. */
export class PartitionTable implements TopicLifecycle {
  readonly #options: PartitionTableOptions
  readonly #byTopic = new Map<string, (Partition | undefined)[]>()
  /** What was begun last for a topic. */
  readonly #changes = new Map<string, Promise<void>>()

  constructor(options: PartitionTableOptions) {
    this.#options = options
  }

  get(topic: string, index: number): Partition | undefined {
    return this.#byTopic.get(topic)?.[index]
  }

  /** Every open partition. */
  *all(): Generator<Partition> {
    for (const partitions of this.#byTopic.values()) {
      for (const partition of partitions) if (partition !== undefined) yield partition
    }
  }

  created(topic: TopicInfo): Promise<void> {
    return this.#inOrder(topic.name, () => this.#open(topic))
  }

  deleted(topic: TopicInfo): Promise<void> {
    // Out of service at once; what is being opened just now, when that is done.
    const open = this.#take(topic.name)
    return this.#inOrder(topic.name, () => this.#remove([...open, ...this.#take(topic.name)]))
  }

  /** Closes every partition. What they hold is synced. */
  async close(): Promise<void> {
    await Promise.all(this.#changes.values())
    const partitions = [...this.all()]
    this.#byTopic.clear()
    await Promise.all(partitions.map((partition) => partition.close()))
  }

  #take(topic: string): readonly (Partition | undefined)[] {
    const partitions = this.#byTopic.get(topic) ?? []
    this.#byTopic.delete(topic)
    return partitions
  }

  async #inOrder(topic: string, change: () => Promise<void>): Promise<void> {
    const before = this.#changes.get(topic) ?? Promise.resolve()
    const changed = before.then(change)
    const settled = changed.catch(() => undefined)
    this.#changes.set(topic, settled)
    try {
      await changed
    } finally {
      if (this.#changes.get(topic) === settled) this.#changes.delete(topic)
    }
  }

  async #open(topic: TopicInfo): Promise<void> {
    const { brokerId, openPartition } = this.#options
    const partitions = await Promise.all(
      topic.partitions.map(({ leader }, index) => (leader === brokerId ? openPartition(topic, index) : undefined))
    )
    this.#byTopic.set(topic.name, partitions)
  }

  async #remove(partitions: readonly (Partition | undefined)[]): Promise<void> {
    const { environment, fileDeleteDelayMs, onRemoved } = this.#options
    for (const partition of partitions) {
      if (partition === undefined) continue
      await partition.close()
      const marked = await markDeleted(this.#options, partitionName(partition.topic, partition.index))
      if (marked === undefined) continue
      environment.timers.set(fileDeleteDelayMs, () => environment.files.removeDirectory(marked), { background: true })
    }
    onRemoved()
  }
}
