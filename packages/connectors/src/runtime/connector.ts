import { type Environment, UsageError } from '@millrace/log'
import { type Duration, durationMs, type ErrorPolicy, type StateEngine } from '@millrace/streams'
import type { Sink } from '../sink.ts'
import type { Source } from '../source.ts'
import { type BackoffBounds, defaultBackoff } from './backoff.ts'
import type { RecordTransform } from './transforms/transform.ts'

/** How a connector is kept alive. */
export interface Supervision {
  /** Between restarts. Default: 300 ms doubling to 60 s, with jitter. */
  readonly backoff?: Partial<BackoffBounds>
  /** How often it may fail for a reason that is neither known to pass nor known to stay. Default: 5 times in 10 minutes. */
  readonly crashes?: { readonly count: number; readonly within: Duration }
  /** Without progress for this long, though there is something to do, it counts as stalled. Default 1 minute. */
  readonly stalledAfter?: Duration
}

/**
 * What becomes of a record that a transform or the target cannot take: `fail()` (default) stops the connector before it, `deadLetter(topic)` puts it
 * aside. There is no silent skip.
 */
export type ConnectorErrorPolicy = Exclude<ErrorPolicy, { readonly kind: 'skip' }>

/** Settings of a topic that a source makes. */
export interface TopicSettings {
  /** Default: the broker's. */
  readonly partitions?: number
  /** By Kafka's names, e.g. `{ 'cleanup.policy': 'compact' }`. */
  readonly configs?: Readonly<Record<string, string>>
}

/** A source, and how it is run. */
export interface SourceConnector extends Supervision {
  /** What reads. Its name is the connector's. */
  readonly source: Source<unknown>
  /** Applied to each record before it is written. */
  readonly transforms?: readonly RecordTransform[]
  /** How topics are made that do not exist. Default: with the broker's settings. */
  readonly topics?: TopicSettings | ((topic: string) => TopicSettings)
  readonly onError?: ConnectorErrorPolicy
  /** At least this long from one commit to the next. Default 100 ms. */
  readonly commitInterval?: Duration
  /** Most records of a transaction, though a batch is never divided. Default 50,000. */
  readonly transactionRecords?: number
  /** Most bytes of a transaction, and of what is read ahead of it. Default 16 MiB. */
  readonly transactionBytes?: number
  /** How long a transaction may be open. Default 1 minute. */
  readonly transactionTimeout?: Duration
  /** Where the source's state is kept on this machine. Default: LevelDB below the log's directory, memory without one. */
  readonly engine?: (path: string, environment: Environment) => Promise<StateEngine>
}

/** A sink, what it reads, and how it is run. */
export interface SinkConnector extends Supervision {
  /** What writes. Its name is the connector's, and `connect-<name>` its consumer group. */
  readonly sink: Sink
  /**
   * Topics to read; a pattern is matched against the names of all topics, anew every `topicRefresh`, but for those of the broker and the runtime, and
   * this sink's dead letters.
   */
  readonly topics: readonly string[] | RegExp
  /** How often the topics of a pattern are looked for. Default 30 seconds. */
  readonly topicRefresh?: Duration
  /** Applied to each record before it is delivered. */
  readonly transforms?: readonly RecordTransform[]
  readonly onError?: ConnectorErrorPolicy
  /** Most records of a batch. Default 1,000. */
  readonly batchRecords?: number
  /** Most bytes of a batch, if it has more than one record. Default 4 MiB. */
  readonly batchBytes?: number
  /** How long a batch waits to become full. Default 0: it goes when the one before is done. */
  readonly linger?: Duration
  /** Where partitions begin that have no committed offset. Default `earliest`. */
  readonly offsetReset?: 'earliest' | 'latest'
  /** How often the offsets of an idempotent sink are committed. Default 1 second. */
  readonly commitInterval?: Duration
}

/** What `runConnectors` runs. */
export type Connector = SourceConnector | SinkConnector

/** Whether it brings records in. */
export function isSourceConnector(connector: Connector): connector is SourceConnector {
  return 'source' in connector
}

/** Its name: positions, offsets and status are kept under it. */
export function connectorName(connector: Connector): string {
  return isSourceConnector(connector) ? connector.source.name : connector.sink.name
}

/** How a connector is supervised, defaults filled in. */
export interface SupervisionSettings {
  readonly backoff: BackoffBounds
  readonly crashes: { readonly count: number; readonly withinMs: number }
  readonly stalledAfterMs: number
}

/** @throws DurationError */
export function supervisionSettings(options: Supervision): SupervisionSettings {
  const { count, within } = options.crashes ?? { count: 5, within: '10m' }
  return {
    backoff: { ...defaultBackoff, ...options.backoff },
    crashes: { count, withinMs: durationMs('crashes.within', within) },
    stalledAfterMs: durationMs('stalledAfter', options.stalledAfter ?? '1m', { leastMs: 1 })
  }
}

/** How a source is run, defaults filled in. */
export interface SourceSettings {
  readonly onError: ConnectorErrorPolicy
  readonly commitIntervalMs: number
  readonly transactionRecords: number
  readonly transactionBytes: number
  readonly transactionTimeoutMs: number
}

/** @throws UsageError, DurationError */
export function sourceSettings(connector: SourceConnector): SourceSettings {
  return {
    onError: connector.onError ?? { kind: 'fail' },
    commitIntervalMs: durationMs('commitInterval', connector.commitInterval ?? '100ms', { leastMs: 1 }),
    transactionRecords: atLeastOne('transactionRecords', connector.transactionRecords ?? 50_000),
    transactionBytes: atLeastOne('transactionBytes', connector.transactionBytes ?? 16 << 20),
    transactionTimeoutMs: durationMs('transactionTimeout', connector.transactionTimeout ?? '1m', { leastMs: 1 })
  }
}

/** How a sink is run, defaults filled in. */
export interface SinkSettings {
  readonly onError: ConnectorErrorPolicy
  readonly batchRecords: number
  readonly batchBytes: number
  readonly lingerMs: number
  readonly offsetReset: 'earliest' | 'latest'
  readonly commitIntervalMs: number
  readonly topicRefreshMs: number
}

/** @throws UsageError, DurationError */
export function sinkSettings(connector: SinkConnector): SinkSettings {
  return {
    onError: connector.onError ?? { kind: 'fail' },
    batchRecords: atLeastOne('batchRecords', connector.batchRecords ?? 1_000),
    batchBytes: atLeastOne('batchBytes', connector.batchBytes ?? 4 << 20),
    lingerMs: durationMs('linger', connector.linger ?? 0),
    offsetReset: connector.offsetReset ?? 'earliest',
    commitIntervalMs: durationMs('commitInterval', connector.commitInterval ?? '1s', { leastMs: 1 }),
    topicRefreshMs: durationMs('topicRefresh', connector.topicRefresh ?? '30s', { leastMs: 1 })
  }
}

function atLeastOne(option: string, value: number): number {
  if (!(value >= 1)) throw new UsageError(`${option} must be 1 or more, not ${value}`)
  return value
}
