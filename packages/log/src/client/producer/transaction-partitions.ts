import { partitionKey, type TopicPartition } from '../topic-partition.ts'

/** How partitions get into the transaction. */
export interface PartitionAdding {
  add(partitions: readonly TopicPartition[]): Promise<void>
  added(): void
  failed(cause: unknown): void
}

/**
 * The partitions of an open transaction of the first protocol. A partition is added before the first record for it is sent; those asked
 * for while a request is under way go together in the next one.
 */
export class TransactionPartitions {
  readonly #adding: PartitionAdding
  readonly #admitted = new Set<string>()
  readonly #waiting = new Map<string, TopicPartition>()
  #underWay: Promise<void> | undefined

  constructor(adding: PartitionAdding) {
    this.#adding = adding
  }

  /** Whether the partition is in; if not, it is being added. */
  admits(topic: string, partition: number): boolean {
    const key = partitionKey(topic, partition)
    if (this.#admitted.has(key)) return true
    this.#waiting.set(key, { topic, partition })
    this.#underWay ??= this.#addWaiting().finally(() => {
      this.#underWay = undefined
    })
    return false
  }

  /** Resolves when no request is under way. */
  async settled(): Promise<void> {
    await this.#underWay
  }

  /** Begins a new transaction. */
  clear(): void {
    this.#admitted.clear()
    this.#waiting.clear()
  }

  async #addWaiting(): Promise<void> {
    // Partitions that become ready in the same turn go together.
    await Promise.resolve()
    while (this.#waiting.size > 0) {
      const partitions = [...this.#waiting]
      this.#waiting.clear()
      try {
        await this.#adding.add(partitions.map(([, partition]) => partition))
      } catch (cause) {
        this.#adding.failed(cause)
        return
      }
      for (const [key] of partitions) this.#admitted.add(key)
      this.#adding.added()
    }
  }
}
