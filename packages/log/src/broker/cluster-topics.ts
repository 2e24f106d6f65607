import type { RandomSource } from '../environment/environment.ts'
import {
  allocateProducerIds,
  createTopic,
  deleteTopic,
  type ProducerIdBlock,
  topicNameProblem
} from '../quorum/metadata-controller.ts'
import { applyRecords, type MetadataImage, type TopicImage } from '../quorum/metadata-image.ts'
import { protocolError } from '../wire/errors.ts'
import type { BrokerConfig } from './broker-config.ts'
import { OFFSETS_TOPIC, TRANSACTIONS_TOPIC } from './coordination/partition-directory.ts'
import { METADATA_TOPIC, type MetadataLog } from './metadata-log.ts'
import { topicConfigProblem } from './topic-config.ts'
import type { NewTopic, TopicInfo, TopicRegistry } from './topic-registry.ts'
import { randomUuid } from './uuid.ts'

/** What has to happen on this broker when topics come and go. */
export interface TopicLifecycle {
  /** Opens the partitions that this broker leads. */
  created(topic: TopicInfo): Promise<void>
  /** Takes the partitions out of service and their files out of the way. */
  deleted(topic: TopicInfo): Promise<void>
}

/** What the registry stands on. */
export interface ClusterTopicsOptions {
  readonly log: MetadataLog
  readonly config: BrokerConfig
  readonly random: RandomSource
  readonly lifecycle: TopicLifecycle
}

/** The topics as the committed metadata describes them; changes go through the metadata log. */
export class ClusterTopics implements TopicRegistry {
  readonly #options: ClusterTopicsOptions
  /** Images are values, so what was made of one holds as long as it is in use. */
  readonly #infos = new WeakMap<TopicImage, TopicInfo>()

  constructor(options: ClusterTopicsOptions) {
    this.#options = options
  }

  get(name: string): TopicInfo | undefined {
    return this.#infoOf(this.#image.topicsByName.get(name))
  }

  byId(topicId: string): TopicInfo | undefined {
    return this.#infoOf(this.#image.topicsById.get(topicId))
  }

  list(): readonly TopicInfo[] {
    return [...this.#image.topicsByName.values()].flatMap((topic) => this.#infoOf(topic) ?? [])
  }

  features(): ReadonlyMap<string, number> {
    return this.#image.features
  }

  checkName(name: string): void {
    const problem = name === METADATA_TOPIC ? 'the cluster keeps its metadata under this name' : topicNameProblem(name)
    if (problem !== undefined) throw protocolError('INVALID_TOPIC_EXCEPTION', { topic: name, message: problem })
  }

  async create(topic: NewTopic): Promise<TopicInfo> {
    this.checkName(topic.name)
    const problem = topicConfigProblem(topic.configs)
    if (problem !== undefined) throw protocolError('INVALID_CONFIG', { topic: topic.name, message: problem })
    const { config, log, lifecycle, random } = this.#options
    const command = {
      name: topic.name,
      topicId: randomUuid(random),
      partitions: topic.partitions === -1 ? config.defaultPartitions : topic.partitions,
      replicationFactor: topic.replicationFactor === -1 ? config.defaultReplicationFactor : topic.replicationFactor,
      configs: topic.configs
    }
    if (topic.validateOnly) return this.#wouldCreate(command)
    await log.commit((image) => ({ records: createTopic(image, command), result: undefined }))
    const created = this.byId(command.topicId)
    // Deleted again before this went on.
    if (created === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: topic.name })
    await lifecycle.created(created)
    return created
  }

  async delete(name: string): Promise<TopicInfo> {
    const deleted = await this.#options.log.commit((image) => ({
      records: deleteTopic(image, name),
      result: this.#infoOf(image.topicsByName.get(name))
    }))
    if (deleted === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: name })
    await this.#options.lifecycle.deleted(deleted)
    return deleted
  }

  allocateProducerIds(): Promise<ProducerIdBlock> {
    const { config, log } = this.#options
    return log.commit((image) => {
      const brokerEpoch = image.brokers.get(config.brokerId)?.brokerEpoch ?? -1
      const { records, block } = allocateProducerIds(image, { brokerId: config.brokerId, brokerEpoch })
      return { records, result: block }
    })
  }

  get #image(): MetadataImage {
    return this.#options.log.image
  }

  #wouldCreate(command: Parameters<typeof createTopic>[1]): TopicInfo {
    const image = applyRecords(this.#image, createTopic(this.#image, command))
    const topic = image.topicsById.get(command.topicId)
    if (topic === undefined) throw protocolError('UNKNOWN_TOPIC_OR_PARTITION', { topic: command.name })
    return topicInfo(topic)
  }

  #infoOf(topic: TopicImage | undefined): TopicInfo | undefined {
    if (topic === undefined) return undefined
    const known = this.#infos.get(topic)
    if (known !== undefined) return known
    const info = topicInfo(topic)
    this.#infos.set(topic, info)
    return info
  }
}

function topicInfo(topic: TopicImage): TopicInfo {
  return {
    name: topic.name,
    topicId: topic.topicId,
    internal: topic.name === OFFSETS_TOPIC || topic.name === TRANSACTIONS_TOPIC,
    partitions: topic.partitions.map(({ leader, leaderEpoch, replicas, isr }) => ({
      leader,
      leaderEpoch,
      replicas,
      inSyncReplicas: isr
    })),
    configs: topic.configs
  }
}
