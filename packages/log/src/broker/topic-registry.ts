/**
 * The topics of the cluster: what they are called, their ids, partitions and configurations. A change is a record of the
 * cluster's metadata log, and is seen here once that record is committed.
 */
export interface TopicRegistry {
  get(name: string): TopicInfo | undefined
  /** @param topicId base64url uuid. */
  byId(topicId: string): TopicInfo | undefined
  list(): readonly TopicInfo[]
  /** @throws ProtocolError INVALID_TOPIC_EXCEPTION when no topic can be called that */
  checkName(name: string): void
  /** Levels of the features that the cluster has finalized, e.g. `transaction.version`. */
  features(): ReadonlyMap<string, number>
  /**
   * Creates one topic. Resolves once it is durable and its partitions take appends.
   * @throws ProtocolError TOPIC_ALREADY_EXISTS, INVALID_TOPIC_EXCEPTION, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG
   */
  create(topic: NewTopic): Promise<TopicInfo>
  /** Deletes one topic; its directories go away after `file.delete.delay.ms`. @throws ProtocolError UNKNOWN_TOPIC_OR_PARTITION */
  delete(name: string): Promise<TopicInfo>
  /** A block of producer ids never handed out before: [first, first + length). */
  allocateProducerIds(): Promise<{ readonly first: number; readonly length: number }>
}

/** One topic as clients see it. */
export interface TopicInfo {
  readonly name: string
  /** Base64url uuid; another one after the topic was deleted and created again. */
  readonly topicId: string
  /** Whether it belongs to the coordinators (`__consumer_offsets`, `__transaction_state`). */
  readonly internal: boolean
  /** By partition index. */
  readonly partitions: readonly PartitionInfo[]
  /** Configurations that were set on the topic. */
  readonly configs: ReadonlyMap<string, string>
}

/** One partition as clients see it. */
export interface PartitionInfo {
  readonly leader: number
  readonly leaderEpoch: number
  readonly replicas: readonly number[]
  readonly inSyncReplicas: readonly number[]
}

/** A topic to create. */
export interface NewTopic {
  readonly name: string
  /** -1 for the broker's default. */
  readonly partitions: number
  /** -1 for the broker's default. */
  readonly replicationFactor: number
  readonly configs: ReadonlyMap<string, string>
  /** Checks everything and writes nothing. */
  readonly validateOnly?: boolean
}
