import type { Header } from '@millrace/log'
import { messageOf } from './failure.ts'

/** Names of the headers that a dead letter adds: Kafka Connect's. Values are text. */
export const ConnectErrorHeader = {
  topic: '__connect.errors.topic',
  partition: '__connect.errors.partition',
  offset: '__connect.errors.offset',
  connector: '__connect.errors.connector.name',
  task: '__connect.errors.task.id',
  stage: '__connect.errors.stage',
  class: '__connect.errors.class.name',
  exception: '__connect.errors.exception.class.name',
  message: '__connect.errors.exception.message',
  stacktrace: '__connect.errors.exception.stacktrace'
} as const

/** Where a record failed, as Kafka Connect calls the places. */
export type ErrorStage = 'TRANSFORMATION' | 'TASK_PUT' | 'KAFKA_PRODUCE'

/** A record that failed, with its original bytes. */
export interface FailedRecord {
  readonly topic: string
  /** -1 of a record that is not on the log. */
  readonly partition: number
  readonly offset: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** Why and where it failed. */
export interface Failing {
  readonly connector: string
  readonly stage: ErrorStage
  readonly error: unknown
}

/** All headers of the dead letter: those of the record, then where it came from and why it failed. */
export function deadLetterHeaders(record: FailedRecord, failing: Failing): readonly Header[] {
  const { error, connector, stage } = failing
  // An error that only says which record it was about wraps what the target said.
  const reason = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const added: [string, string][] = [
    [ConnectErrorHeader.topic, record.topic],
    [ConnectErrorHeader.partition, String(record.partition)],
    [ConnectErrorHeader.offset, String(record.offset)],
    [ConnectErrorHeader.connector, connector],
    [ConnectErrorHeader.task, '0'],
    [ConnectErrorHeader.stage, stage],
    [ConnectErrorHeader.class, failing.stage === 'TRANSFORMATION' ? 'transform' : 'sink'],
    [ConnectErrorHeader.exception, reason instanceof Error ? reason.name : typeof reason],
    [ConnectErrorHeader.message, messageOf(error)],
    [ConnectErrorHeader.stacktrace, (reason instanceof Error ? reason.stack : undefined) ?? '']
  ]
  return [...record.headers, ...added.map(([key, text]): Header => ({ key, value: Buffer.from(text) }))]
}

/** The record's own headers, without those that made it a dead letter. */
export function originalHeaders(headers: readonly Header[]): readonly Header[] {
  return headers.filter(({ key }) => !key.startsWith('__connect.errors.'))
}

/** Text of a header that a dead letter added; undefined when it has none of this name. */
export function errorHeader(headers: readonly Header[], name: string): string | undefined {
  return headers.findLast(({ key }) => key === name)?.value?.toString('utf8')
}
