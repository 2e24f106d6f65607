/**
 * Configuration of one broker. Each field's documentation begins with Kafka's name for it; durations are milliseconds, sizes
 * bytes, and -1 means without limit, as in Kafka.
 */
export interface BrokerConfig {
  /** `node.id`. */
  readonly brokerId: number
  /** Millrace's own: when a record counts as durable. `always` syncs before acknowledging, `os` leaves it to the kernel as Kafka does. */
  readonly fsync: 'always' | 'os'
  /** `auto.create.topics.enable`: whether a metadata request that allows it creates the topics it names. */
  readonly autoCreateTopics: boolean
  /** `num.partitions`: partitions of a topic created without a count. */
  readonly defaultPartitions: number
  /** `default.replication.factor`. */
  readonly defaultReplicationFactor: number
  /** `max.incremental.fetch.session.cache.slots` is 0 here: fetches are answered without a session. `fetch.max.bytes`: most bytes in one answer. */
  readonly fetchMaxBytes: number
  /** `log.retention.check.interval.ms`. */
  readonly retentionCheckIntervalMs: number
  /** `replica.high.watermark.checkpoint.interval.ms`. */
  readonly highWatermarkCheckpointIntervalMs: number
  /** `log.flush.offset.checkpoint.interval.ms`: recovery points, and with them log starts. */
  readonly recoveryPointCheckpointIntervalMs: number
  /** `log.segment.delete.delay.ms`. */
  readonly fileDeleteDelayMs: number
  /** `log.cleaner.enable`: whether topics with the cleanup policy `compact` are compacted. */
  readonly cleanerEnabled: boolean
  /** `log.cleaner.backoff.ms`: how long the cleaner sleeps when nothing is due. */
  readonly cleanerBackoffMs: number
  /** `log.cleaner.dedupe.buffer.size`: most memory for the keys of one pass, taken as needed; with more keys there are several passes. */
  readonly cleanerKeyMapBytes: number
  /** `log.cleaner.io.max.bytes.per.second`: most that the cleaner reads and writes. */
  readonly cleanerMaxBytesPerSecond: number
  /** `group.initial.rebalance.delay.ms`: 0 here, since a development group should not wait 3 s. */
  readonly groupInitialRebalanceDelayMs: number
  /** `group.min.session.timeout.ms`. */
  readonly groupMinSessionTimeoutMs: number
  /** `group.max.session.timeout.ms`. */
  readonly groupMaxSessionTimeoutMs: number
  /** `group.max.size`. */
  readonly groupMaxSize: number
  /** `offsets.topic.num.partitions`. */
  readonly offsetsTopicPartitions: number
  /** `offsets.topic.segment.bytes`. */
  readonly offsetsTopicSegmentBytes: number
  /** `offsets.retention.minutes`, in milliseconds. */
  readonly offsetsRetentionMs: number
  /** `offsets.retention.check.interval.ms`. */
  readonly offsetsRetentionCheckIntervalMs: number
  /** `offset.metadata.max.bytes`. */
  readonly offsetMetadataMaxBytes: number
  /** `transaction.state.log.num.partitions`. */
  readonly transactionTopicPartitions: number
  /** `transaction.state.log.segment.bytes`. */
  readonly transactionTopicSegmentBytes: number
  /** `transaction.max.timeout.ms`. */
  readonly transactionMaxTimeoutMs: number
  /** `transactional.id.expiration.ms`. */
  readonly transactionalIdExpirationMs: number
  /** `transaction.abort.timed.out.transaction.cleanup.interval.ms`. */
  readonly transactionTimeoutScanIntervalMs: number
  /** `producer.id.expiration.ms`. */
  readonly producerIdExpirationMs: number
}

const second = 1_000
const minute = 60 * second
const day = 24 * 60 * minute
const mebibyte = 1024 * 1024

/** Kafka's defaults, except where the field says otherwise. */
export const defaultBrokerConfig: BrokerConfig = {
  brokerId: 1,
  fsync: 'always',
  autoCreateTopics: true,
  defaultPartitions: 1,
  defaultReplicationFactor: 1,
  fetchMaxBytes: 55 * mebibyte,
  retentionCheckIntervalMs: 5 * minute,
  highWatermarkCheckpointIntervalMs: 5 * second,
  recoveryPointCheckpointIntervalMs: minute,
  fileDeleteDelayMs: minute,
  cleanerEnabled: true,
  cleanerBackoffMs: 15 * second,
  cleanerKeyMapBytes: 128 * mebibyte,
  cleanerMaxBytesPerSecond: Number.MAX_VALUE,
  groupInitialRebalanceDelayMs: 0,
  groupMinSessionTimeoutMs: 6 * second,
  groupMaxSessionTimeoutMs: 30 * minute,
  groupMaxSize: 2 ** 31 - 1,
  offsetsTopicPartitions: 50,
  offsetsTopicSegmentBytes: 100 * mebibyte,
  offsetsRetentionMs: 7 * day,
  offsetsRetentionCheckIntervalMs: 10 * minute,
  offsetMetadataMaxBytes: 4096,
  transactionTopicPartitions: 50,
  transactionTopicSegmentBytes: 100 * mebibyte,
  transactionMaxTimeoutMs: 15 * minute,
  transactionalIdExpirationMs: 7 * day,
  transactionTimeoutScanIntervalMs: 10 * second,
  producerIdExpirationMs: day
}
