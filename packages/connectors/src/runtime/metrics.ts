import { type ConnectorState, kafkaState } from './connector-state.ts'
import type { Meter } from './meter.ts'

/** Figures of a connector under the names of Kafka Connect's metrics, by its groups. Times in milliseconds, NaN never. */
export interface ConnectorMetrics {
  readonly connector: Readonly<Record<string, string>>
  readonly task: MetricGroup
  /** Of a source. */
  readonly 'source-task'?: MetricGroup
  /** Of a sink. */
  readonly 'sink-task'?: MetricGroup
  readonly 'task-error': MetricGroup
}

/** Measurements by name. */
export type MetricGroup = Readonly<Record<string, number>>

/** What the metrics are taken from. */
export interface MetricFacts {
  readonly type: 'source' | 'sink'
  readonly state: ConnectorState
  readonly meter: Meter
  /** Milliseconds in each state so far. */
  readonly runningMs: number
  readonly pausedMs: number
  readonly totalMs: number
}

/** The metrics now. */
export function readMetrics(facts: MetricFacts): ConnectorMetrics {
  const { type, state, meter } = facts
  return {
    connector: { 'connector-type': type, status: kafkaState(state).toLowerCase() },
    task: taskGroup(facts),
    ...(type === 'source' ? { 'source-task': sourceGroup(facts) } : { 'sink-task': sinkGroup(facts) }),
    'task-error': errorGroup(meter)
  }
}

function taskGroup({ meter, runningMs, pausedMs, totalMs, type }: MetricFacts): MetricGroup {
  const batch = meter.spread(type === 'source' ? 'transactionRecords' : 'batchRecords')
  const commit = meter.spread('commitMs')
  return {
    'running-ratio': totalMs === 0 ? 0 : runningMs / totalMs,
    'pause-ratio': totalMs === 0 ? 0 : pausedMs / totalMs,
    'batch-size-avg': batch.average,
    'batch-size-max': batch.max,
    'offset-commit-avg-time-ms': commit.average,
    'offset-commit-max-time-ms': commit.max
  }
}

function sourceGroup({ meter, totalMs }: MetricFacts): MetricGroup {
  const { readRecords, sentRecords, activeRecords, transactions } = meter.figures
  const read = meter.spread('readMs')
  const transaction = meter.spread('transactionRecords')
  return {
    'source-record-poll-total': readRecords,
    'source-record-poll-rate': perSecond(readRecords, totalMs),
    'source-record-write-total': sentRecords,
    'source-record-write-rate': perSecond(sentRecords, totalMs),
    'poll-batch-avg-time-ms': read.average,
    'poll-batch-max-time-ms': read.max,
    'source-record-active-count': activeRecords,
    'transaction-size-avg': transaction.average,
    'transaction-size-min': transaction.min,
    'transaction-size-max': transaction.max,
    'transaction-total': transactions
  }
}

function sinkGroup({ meter, totalMs }: MetricFacts): MetricGroup {
  const { readRecords, sentRecords, activeRecords, partitions, commits } = meter.figures
  const write = meter.spread('writeMs')
  const commit = meter.spread('commitMs')
  return {
    'sink-record-read-total': readRecords,
    'sink-record-read-rate': perSecond(readRecords, totalMs),
    'sink-record-send-total': sentRecords,
    'sink-record-send-rate': perSecond(sentRecords, totalMs),
    'sink-record-lag-max': meter.lag() ?? 0,
    'sink-record-active-count': activeRecords,
    'partition-count': partitions,
    'offset-commit-seq-no': commits,
    'offset-commit-completion-total': commit.count,
    'put-batch-avg-time-ms': write.average,
    'put-batch-max-time-ms': write.max
  }
}

function errorGroup(meter: Meter): MetricGroup {
  const { recordErrors, recordFailures, skippedRecords, retries, deadLetters, deadLetterFailures } = meter.figures
  return {
    'total-record-errors': recordErrors,
    'total-record-failures': recordFailures,
    'total-records-skipped': skippedRecords,
    'total-retries': retries,
    'deadletterqueue-produce-requests': deadLetters + deadLetterFailures,
    'deadletterqueue-produce-failures': deadLetterFailures,
    'last-error-timestamp': meter.times().lastErrorAtMs ?? 0
  }
}

function perSecond(count: number, totalMs: number): number {
  return totalMs === 0 ? 0 : (count * 1000) / totalMs
}
