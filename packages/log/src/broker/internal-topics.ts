import type { BrokerConfig } from './broker-config.ts'
import { type InternalTopic, OFFSETS_TOPIC } from './coordination/partition-directory.ts'
import type { NewTopic, TopicRegistry } from './topic-registry.ts'

/** Makes the coordinators' topics on first use. */
export class InternalTopics {
  readonly #topics: TopicRegistry
  readonly #config: BrokerConfig
  readonly #creating = new Map<InternalTopic, Promise<void>>()

  constructor(topics: TopicRegistry, config: BrokerConfig) {
    this.#topics = topics
    this.#config = config
  }

  /** Resolves once the topic's partitions take appends. Concurrent calls share one creation. */
  ensure(topic: InternalTopic): Promise<void> {
    const creating = this.#creating.get(topic)
    if (creating !== undefined) return creating
    if (this.#topics.get(topic) !== undefined) return Promise.resolve()
    const created = this.#topics
      .create(internalTopic(topic, this.#config))
      .then(() => undefined)
      .finally(() => this.#creating.delete(topic))
    this.#creating.set(topic, created)
    return created
  }
}

/** Compacted, as Kafka makes them. */
function internalTopic(topic: InternalTopic, config: BrokerConfig): NewTopic {
  const offsets = topic === OFFSETS_TOPIC
  return {
    name: topic,
    partitions: offsets ? config.offsetsTopicPartitions : config.transactionTopicPartitions,
    replicationFactor: -1,
    configs: new Map([
      ['cleanup.policy', 'compact'],
      ['segment.bytes', String(offsets ? config.offsetsTopicSegmentBytes : config.transactionTopicSegmentBytes)]
    ])
  }
}
