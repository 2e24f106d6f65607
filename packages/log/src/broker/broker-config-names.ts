import { type BrokerConfig, defaultBrokerConfig } from './broker-config.ts'
import type { ConfigDefinition } from './config-value.ts'

/** A broker's configuration with the value it runs with. */
export type BrokerConfigValue = ConfigDefinition & { readonly value: string }

const minuteMs = 60_000

/** Field, Kafka's name, type, meaning; and how many of the field's unit make one of Kafka's, where they differ. */
interface Row {
  readonly field: keyof BrokerConfig
  readonly name: string
  readonly type: ConfigDefinition['type']
  readonly documentation: string
  readonly unit?: number
}

const rows: readonly Row[] = [
  {
    field: 'autoCreateTopics',
    name: 'auto.create.topics.enable',
    type: 'boolean',
    documentation: 'Whether naming a missing topic creates it.'
  },
  { field: 'brokerId', name: 'broker.id', type: 'int', documentation: 'Id of this broker.' },
  {
    field: 'defaultReplicationFactor',
    name: 'default.replication.factor',
    type: 'int',
    documentation: 'Replicas of a topic created without a number.'
  },
  {
    field: 'fetchMaxBytes',
    name: 'fetch.max.bytes',
    type: 'int',
    documentation: 'Most bytes in one answer to a fetch.'
  },
  {
    field: 'groupInitialRebalanceDelayMs',
    name: 'group.initial.rebalance.delay.ms',
    type: 'int',
    documentation: 'Milliseconds an empty group waits for more members before its first rebalance.'
  },
  {
    field: 'groupMaxSessionTimeoutMs',
    name: 'group.max.session.timeout.ms',
    type: 'int',
    documentation: 'Longest session timeout of a group member, milliseconds.'
  },
  { field: 'groupMaxSize', name: 'group.max.size', type: 'int', documentation: 'Most members of a group.' },
  {
    field: 'groupMinSessionTimeoutMs',
    name: 'group.min.session.timeout.ms',
    type: 'int',
    documentation: 'Shortest session timeout of a group member, milliseconds.'
  },
  {
    field: 'cleanerBackoffMs',
    name: 'log.cleaner.backoff.ms',
    type: 'long',
    documentation: 'Milliseconds that the cleaner sleeps when no compacted topic is due.'
  },
  {
    field: 'cleanerKeyMapBytes',
    name: 'log.cleaner.dedupe.buffer.size',
    type: 'long',
    documentation: 'Most memory for the keys of one pass of the cleaner; with more keys there are several passes.'
  },
  {
    field: 'cleanerEnabled',
    name: 'log.cleaner.enable',
    type: 'boolean',
    documentation: 'Whether topics with the cleanup policy compact are compacted.'
  },
  {
    field: 'cleanerMaxBytesPerSecond',
    name: 'log.cleaner.io.max.bytes.per.second',
    type: 'double',
    documentation: 'Most bytes that the cleaner reads and writes in a second.'
  },
  {
    field: 'recoveryPointCheckpointIntervalMs',
    name: 'log.flush.offset.checkpoint.interval.ms',
    type: 'int',
    documentation: 'Milliseconds between two recovery point checkpoints.'
  },
  {
    field: 'retentionCheckIntervalMs',
    name: 'log.retention.check.interval.ms',
    type: 'long',
    documentation: 'Milliseconds between two looks for segments that retention allows to go.'
  },
  {
    field: 'fileDeleteDelayMs',
    name: 'log.segment.delete.delay.ms',
    type: 'long',
    documentation: 'Milliseconds between the removal of a segment from the log and from the disk.'
  },
  {
    field: 'fsync',
    name: 'millrace.fsync',
    type: 'string',
    documentation: 'always: a record is acknowledged after a sync that covers it; os: the kernel decides, as in Kafka.'
  },
  { field: 'brokerId', name: 'node.id', type: 'int', documentation: 'Id of this node.' },
  {
    field: 'defaultPartitions',
    name: 'num.partitions',
    type: 'int',
    documentation: 'Partitions of a topic created without a number.'
  },
  {
    field: 'offsetMetadataMaxBytes',
    name: 'offset.metadata.max.bytes',
    type: 'int',
    documentation: 'Most bytes of metadata with a committed offset.'
  },
  {
    field: 'offsetsRetentionCheckIntervalMs',
    name: 'offsets.retention.check.interval.ms',
    type: 'long',
    documentation: 'Milliseconds between two looks for expired offsets.'
  },
  {
    field: 'offsetsRetentionMs',
    name: 'offsets.retention.minutes',
    type: 'int',
    unit: minuteMs,
    documentation: 'Minutes that committed offsets outlive their group.'
  },
  {
    field: 'offsetsTopicPartitions',
    name: 'offsets.topic.num.partitions',
    type: 'int',
    documentation: 'Partitions of __consumer_offsets.'
  },
  {
    field: 'offsetsTopicSegmentBytes',
    name: 'offsets.topic.segment.bytes',
    type: 'int',
    documentation: 'Segment size of __consumer_offsets.'
  },
  {
    field: 'producerIdExpirationMs',
    name: 'producer.id.expiration.ms',
    type: 'int',
    documentation: 'Milliseconds that an idle producer id is remembered for.'
  },
  {
    field: 'highWatermarkCheckpointIntervalMs',
    name: 'replica.high.watermark.checkpoint.interval.ms',
    type: 'long',
    documentation: 'Milliseconds between two high watermark checkpoints.'
  },
  {
    field: 'transactionTimeoutScanIntervalMs',
    name: 'transaction.abort.timed.out.transaction.cleanup.interval.ms',
    type: 'int',
    documentation: 'Milliseconds between two looks for transactions that took too long.'
  },
  {
    field: 'transactionMaxTimeoutMs',
    name: 'transaction.max.timeout.ms',
    type: 'int',
    documentation: 'Longest timeout that a producer may give its transactions, milliseconds.'
  },
  {
    field: 'transactionTopicPartitions',
    name: 'transaction.state.log.num.partitions',
    type: 'int',
    documentation: 'Partitions of __transaction_state.'
  },
  {
    field: 'transactionTopicSegmentBytes',
    name: 'transaction.state.log.segment.bytes',
    type: 'int',
    documentation: 'Segment size of __transaction_state.'
  },
  {
    field: 'transactionalIdExpirationMs',
    name: 'transactional.id.expiration.ms',
    type: 'int',
    documentation: 'Milliseconds that an idle transactional id is remembered for.'
  }
]

/** The configurations of a broker by Kafka's names, sorted, with their values. */
export function brokerConfigs(config: BrokerConfig): BrokerConfigValue[] {
  return rows.map(({ field, name, type, documentation, unit }) => ({
    name,
    type,
    documentation,
    default: text(defaultBrokerConfig[field], unit),
    value: text(config[field], unit)
  }))
}

function text(value: BrokerConfig[keyof BrokerConfig], unit: number | undefined): string {
  return String(unit === undefined ? value : Number(value) / unit)
}
