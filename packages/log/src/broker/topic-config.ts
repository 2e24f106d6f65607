import { type ConfigDefinition, configProblem, LONG_MAX } from './config-value.ts'

const longMs = (name: string, value: string, documentation: string, min = 0): ConfigDefinition => ({
  name,
  type: 'long',
  default: value,
  documentation,
  min
})

/** Every topic configuration that is served, with Kafka's names and defaults, sorted by name. */
export const topicConfigs: readonly ConfigDefinition[] = [
  {
    name: 'cleanup.policy',
    type: 'list',
    default: 'delete',
    oneOf: ['delete', 'compact'],
    brokerName: 'log.cleanup.policy',
    documentation:
      'How old records go: whole segments by age and size (delete), or all but the last of each key (compact).'
  },
  {
    name: 'compression.type',
    type: 'string',
    default: 'producer',
    oneOf: ['producer'],
    brokerName: 'compression.type',
    documentation: 'Batches are kept as the producer compressed them.'
  },
  longMs('delete.retention.ms', '86400000', 'Milliseconds that a tombstone stays readable in a compacted topic.'),
  longMs(
    'file.delete.delay.ms',
    '60000',
    'Milliseconds between the removal of a segment from the log and from the disk.'
  ),
  longMs(
    'flush.messages',
    LONG_MAX,
    'Records between two forced syncs; every acknowledged record is synced with fsync=always.',
    1
  ),
  longMs(
    'flush.ms',
    LONG_MAX,
    'Milliseconds between two forced syncs; every acknowledged record is synced with fsync=always.'
  ),
  {
    name: 'index.interval.bytes',
    type: 'int',
    default: '4096',
    min: 0,
    brokerName: 'log.index.interval.bytes',
    documentation: 'Bytes of log between two entries of the offset index.'
  },
  longMs(
    'max.compaction.lag.ms',
    LONG_MAX,
    'Milliseconds after which a record must have been considered for compaction.',
    1
  ),
  {
    name: 'max.message.bytes',
    type: 'int',
    default: '1048588',
    min: 0,
    brokerName: 'message.max.bytes',
    documentation: 'Largest record batch that is accepted, in bytes, after compression.'
  },
  longMs('message.timestamp.after.max.ms', '3600000', 'Milliseconds that a record may be ahead of the clock.'),
  longMs('message.timestamp.before.max.ms', LONG_MAX, 'Milliseconds that a record may be behind the clock.'),
  {
    name: 'message.timestamp.type',
    type: 'string',
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    brokerName: 'log.message.timestamp.type',
    documentation: 'Whether a record carries the time its producer gave it or the time of its append.'
  },
  {
    name: 'min.cleanable.dirty.ratio',
    type: 'double',
    default: '0.5',
    min: 0,
    max: 1,
    brokerName: 'log.cleaner.min.cleanable.ratio',
    documentation: 'Share of the log that must be new before it is compacted again.'
  },
  longMs('min.compaction.lag.ms', '0', 'Milliseconds during which a record is never compacted.'),
  {
    name: 'min.insync.replicas',
    type: 'int',
    default: '1',
    min: 1,
    brokerName: 'min.insync.replicas',
    documentation: 'Replicas that must have a record before it is acknowledged with acks=all.'
  },
  {
    name: 'preallocate',
    type: 'boolean',
    default: 'false',
    brokerName: 'log.preallocate',
    documentation:
      'Whether segment files are given their full size when created. Has no effect: files grow as they are written.'
  },
  {
    name: 'retention.bytes',
    type: 'long',
    default: '-1',
    min: -1,
    brokerName: 'log.retention.bytes',
    documentation: 'Bytes that a partition may grow to before its oldest segments are deleted; -1 for no limit.'
  },
  {
    name: 'retention.ms',
    type: 'long',
    default: '604800000',
    min: -1,
    brokerName: 'log.retention.ms',
    documentation: 'Milliseconds after which a segment is deleted, by its newest record; -1 for never.'
  },
  {
    name: 'segment.bytes',
    type: 'int',
    default: '1073741824',
    min: 1024,
    brokerName: 'log.segment.bytes',
    documentation: 'Bytes at which a segment file is full and the next one begins.'
  },
  {
    name: 'segment.index.bytes',
    type: 'int',
    default: '10485760',
    min: 24,
    brokerName: 'log.index.size.max.bytes',
    documentation: "Largest size of a segment's offset index, in bytes."
  },
  longMs(
    'segment.jitter.ms',
    '0',
    'Random milliseconds taken off segment.ms, so that segments do not all end at once.'
  ),
  {
    name: 'segment.ms',
    type: 'long',
    default: '604800000',
    min: 1,
    brokerName: 'log.roll.ms',
    documentation: 'Milliseconds after which a segment ends even when it is not full.'
  },
  {
    name: 'unclean.leader.election.enable',
    type: 'boolean',
    default: 'false',
    brokerName: 'unclean.leader.election.enable',
    documentation: 'Whether a replica that lacks acknowledged records may become leader.'
  }
]

const byName: ReadonlyMap<string, ConfigDefinition> = new Map(
  topicConfigs.map((definition) => [definition.name, definition])
)

/** What is wrong with the configurations of a topic, as a sentence; undefined when nothing is. */
export function topicConfigProblem(configs: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of configs) {
    const definition = byName.get(name)
    if (definition === undefined) return `Unknown topic config name: ${name}`
    const problem = configProblem(definition, value)
    if (problem !== undefined) return `Invalid value ${value} for configuration ${name}: it ${problem}`
  }
  return undefined
}

/** Value of a topic's configuration: the one set on it, else the default. */
export function topicConfigValue(configs: ReadonlyMap<string, string>, name: string): string {
  return configs.get(name) ?? byName.get(name)?.default ?? ''
}
