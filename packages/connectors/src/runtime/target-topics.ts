import { partitionForKey } from '@millrace/log'
import type { SourceRecord } from '../source.ts'
import type { SourceConnector, TopicSettings } from './connector.ts'
import type { Life } from './life.ts'

const ONLY_PARTITION: readonly number[] = [0]

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

  knows(topic: string): boolean {
    return this.#partitions.has(topic)
  }

  /** Makes sure that the topic is there. @throws what kept it from being made. */
  async ensure(topic: string): Promise<void> {
    const settings = this.#settingsOf(topic)
    const admin = this.#life.log.admin()
    try {
      const { partitions } = await admin.ensureTopic({ name: topic, ...settings })
      this.#partitions.set(topic, partitions.length)
    } finally {
      await admin.close()
    }
  }

  /** Where a record goes: as it was `chosen`, else as Kafka's clients choose it by the key's bytes; without a key, one after the other. */
  partitionsOf(topic: string, key: Buffer | null, chosen: SourceRecord['partition']): readonly number[] {
    if (typeof chosen === 'number') return [chosen]
    const count = this.#partitions.get(topic) ?? 1
    if (chosen === 'all') return Array.from({ length: count }, (_, partition) => partition)
    if (count === 1) return ONLY_PARTITION
    return [key === null ? this.#next++ % count : partitionForKey(key, count)]
  }

  #settingsOf(topic: string): TopicSettings {
    const settings = this.#settings
    return (typeof settings === 'function' ? settings(topic) : settings) ?? {}
  }
}
