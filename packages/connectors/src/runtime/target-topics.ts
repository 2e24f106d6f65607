import { partitionForKey, UnknownPartitionError } from '@millrace/log'
import type { SourceConnector, TopicSettings } from './connector.ts'
import type { Life } from './life.ts'

/** Where a record is to go. */
export interface PlacedRecord {
  readonly topic: string
  readonly partition?: number | 'all' | undefined
}

/** The topics that a source writes to: made when they are missing, with as many partitions as they have. */
export class TargetTopics {
  readonly #life: Life
  readonly #settings: SourceConnector['topics']
  readonly #partitions = new Map<string, number>()
  #next: number

  constructor(life: Life, settings: SourceConnector['topics']) {
    this.#life = life
    this.#settings = settings
    this.#next = life.environment.random.uint32()
  }

  /** Whether the topic is known to have the partition, if one is chosen. */
  knows({ topic, partition }: PlacedRecord): boolean {
    const count = this.#partitions.get(topic)
    return count !== undefined && (typeof partition !== 'number' || (partition >= 0 && partition < count))
  }

  /** Makes sure that the topic is there. @throws what kept it from being made; UnknownPartitionError when it has no such partition. */
  async ensure(record: PlacedRecord): Promise<void> {
    const { topic, partition } = record
    await this.#make(topic)
    if (typeof partition !== 'number' || this.knows(record)) return
    throw new UnknownPartitionError({ topic, partition, partitions: this.countOf(topic) })
  }

  async #make(topic: string): Promise<void> {
    const settings = this.#settingsOf(topic)
    const admin = this.#life.log.admin()
    try {
      const { partitions } = await admin.ensureTopic({ name: topic, ...settings })
      this.#partitions.set(topic, partitions.length)
    } finally {
      await admin.close()
    }
  }

  /** Where a record goes that is not for all partitions: as it was `chosen`, else as Kafka's clients choose it by the key's bytes; without a key, one after the other. */
  partitionOf(topic: string, key: Buffer | null, chosen: number | undefined): number {
    if (chosen !== undefined) return chosen
    const count = this.countOf(topic)
    if (count === 1) return 0
    return key === null ? this.#next++ % count : partitionForKey(key, count)
  }

  /** How many partitions the topic has. */
  countOf(topic: string): number {
    return this.#partitions.get(topic) ?? 1
  }

  #settingsOf(topic: string): TopicSettings {
    const settings = this.#settings
    return (typeof settings === 'function' ? settings(topic) : settings) ?? {}
  }
}
