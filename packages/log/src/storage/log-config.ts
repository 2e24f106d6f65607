import { InvalidConfigError } from './errors.ts'

/** What a topic's configuration says about its partitions' logs. Names, meaning and defaults are Kafka's. */
export interface LogConfig {
  /** `segment.bytes`, default 1 GiB. */
  readonly segmentBytes: number
  /** `segment.ms`, default 7 days. */
  readonly segmentMs: number
  /** `segment.index.bytes`, default 10 MiB. */
  readonly segmentIndexBytes: number
  /** `index.interval.bytes`, default 4096. */
  readonly indexIntervalBytes: number
  /** `retention.ms`, default 7 days; -1 keeps forever. */
  readonly retentionMs: number
  /** `retention.bytes` of a partition, default -1: no bound. */
  readonly retentionBytes: number
  /** `max.message.bytes`: greatest size of a record batch, default 1,048,588. */
  readonly maxMessageBytes: number
  /** Whether `cleanup.policy` contains `delete`; the default. */
  readonly deletes: boolean
  /** Whether `cleanup.policy` contains `compact`. */
  readonly compacts: boolean
  /** `delete.retention.ms`: how long a tombstone is kept, default 24 hours. */
  readonly deleteRetentionMs: number
  /** `min.compaction.lag.ms`, default 0. */
  readonly minCompactionLagMs: number
  /** `max.compaction.lag.ms`, default none. */
  readonly maxCompactionLagMs: number
  /** `min.cleanable.dirty.ratio`, default 0.5. */
  readonly minCleanableDirtyRatio: number
  /** `file.delete.delay.ms`: how long a deleted segment's files stay, default 60 s. */
  readonly fileDeleteDelayMs: number
  /** `message.timestamp.type`, default `CreateTime`. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime'
  /** `message.timestamp.before.max.ms`: how old a record may be, default unbounded. */
  readonly timestampBeforeMaxMs: number
  /** `message.timestamp.after.max.ms`: how far in the future a record may be, default 1 hour. */
  readonly timestampAfterMaxMs: number
  /** `min.insync.replicas`, default 1. */
  readonly minInsyncReplicas: number
  /** `compression.type`, default `producer`. Batches are kept as they were sent. */
  readonly compressionType: string
}

interface Option {
  readonly name: string
  readonly default: string
}

interface IntegerOption extends Option {
  readonly field: keyof LogConfig
  readonly min: number
  readonly max?: number
}

const FOREVER = '9223372036854775807'
const MAX_INT32 = 0x7fff_ffff

const integerOptions: readonly IntegerOption[] = [
  { name: 'segment.bytes', field: 'segmentBytes', default: '1073741824', min: 1024, max: MAX_INT32 },
  { name: 'segment.ms', field: 'segmentMs', default: '604800000', min: 1 },
  { name: 'segment.index.bytes', field: 'segmentIndexBytes', default: '10485760', min: 24, max: MAX_INT32 },
  { name: 'index.interval.bytes', field: 'indexIntervalBytes', default: '4096', min: 0, max: MAX_INT32 },
  { name: 'retention.ms', field: 'retentionMs', default: '604800000', min: -1 },
  { name: 'retention.bytes', field: 'retentionBytes', default: '-1', min: -1 },
  { name: 'max.message.bytes', field: 'maxMessageBytes', default: '1048588', min: 0, max: MAX_INT32 },
  { name: 'delete.retention.ms', field: 'deleteRetentionMs', default: '86400000', min: 0 },
  { name: 'min.compaction.lag.ms', field: 'minCompactionLagMs', default: '0', min: 0 },
  { name: 'max.compaction.lag.ms', field: 'maxCompactionLagMs', default: FOREVER, min: 1 },
  { name: 'file.delete.delay.ms', field: 'fileDeleteDelayMs', default: '60000', min: 0 },
  { name: 'message.timestamp.before.max.ms', field: 'timestampBeforeMaxMs', default: FOREVER, min: 0 },
  { name: 'message.timestamp.after.max.ms', field: 'timestampAfterMaxMs', default: '3600000', min: 0 },
  { name: 'min.insync.replicas', field: 'minInsyncReplicas', default: '1', min: 1, max: MAX_INT32 }
]

const otherOptions: readonly Option[] = [
  { name: 'cleanup.policy', default: 'delete' },
  { name: 'min.cleanable.dirty.ratio', default: '0.5' },
  { name: 'message.timestamp.type', default: 'CreateTime' },
  { name: 'compression.type', default: 'producer' }
]

/** Default of every topic configuration that concerns a log. */
export const logConfigDefaults: ReadonlyMap<string, string> = new Map(
  [...integerOptions, ...otherOptions].map((option): [string, string] => [option.name, option.default])
)

/**
 * Reads a topic's configuration over the defaults. Names that do not concern a log are passed over.
 * @throws InvalidConfigError naming the first value that is out of range.
 */
export function parseLogConfig(values: Readonly<Record<string, string | undefined>> = {}): LogConfig {
  const text = (name: string) => values[name] ?? logConfigDefaults.get(name) ?? ''
  const integer = (field: IntegerOption['field']) => {
    const option = integerOptions.find((candidate) => candidate.field === field)
    return option === undefined ? 0 : parseInteger(option, text(option.name))
  }
  const policy = parsePolicy(text('cleanup.policy'))
  return {
    segmentBytes: integer('segmentBytes'),
    segmentMs: integer('segmentMs'),
    segmentIndexBytes: integer('segmentIndexBytes'),
    indexIntervalBytes: integer('indexIntervalBytes'),
    retentionMs: integer('retentionMs'),
    retentionBytes: integer('retentionBytes'),
    maxMessageBytes: integer('maxMessageBytes'),
    deletes: policy.includes('delete'),
    compacts: policy.includes('compact'),
    deleteRetentionMs: integer('deleteRetentionMs'),
    minCompactionLagMs: integer('minCompactionLagMs'),
    maxCompactionLagMs: integer('maxCompactionLagMs'),
    minCleanableDirtyRatio: parseRatio('min.cleanable.dirty.ratio', text('min.cleanable.dirty.ratio')),
    fileDeleteDelayMs: integer('fileDeleteDelayMs'),
    timestampType: parseTimestampType(text('message.timestamp.type')),
    timestampBeforeMaxMs: integer('timestampBeforeMaxMs'),
    timestampAfterMaxMs: integer('timestampAfterMaxMs'),
    minInsyncReplicas: integer('minInsyncReplicas'),
    compressionType: parseCompressionType(text('compression.type'))
  }
}

function parseInteger(option: IntegerOption, text: string): number {
  const value = Number(text)
  const max = option.max ?? Number(FOREVER)
  if (!/^-?\d{1,19}$/.test(text) || value < option.min || value > max) {
    throw new InvalidConfigError(option.name, text, `an integer from ${option.min} to ${option.max ?? FOREVER}`)
  }
  return value
}

function parsePolicy(text: string): string[] {
  const policies = text.split(',').map((policy) => policy.trim())
  if (policies.some((policy) => policy !== 'delete' && policy !== 'compact')) {
    throw new InvalidConfigError('cleanup.policy', text, 'delete, compact or compact,delete')
  }
  return policies
}

function parseRatio(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !(value >= 0 && value <= 1))
    throw new InvalidConfigError(name, text, 'a number from 0 to 1')
  return value
}

function parseTimestampType(text: string): 'CreateTime' | 'LogAppendTime' {
  if (text === 'CreateTime' || text === 'LogAppendTime') return text
  throw new InvalidConfigError('message.timestamp.type', text, 'CreateTime or LogAppendTime')
}

function parseCompressionType(text: string): string {
  if (['producer', 'uncompressed', 'gzip', 'snappy', 'lz4', 'zstd'].includes(text)) return text
  throw new InvalidConfigError('compression.type', text, 'producer, uncompressed, gzip, snappy, lz4 or zstd')
}
