import type { Header, RecordOrigin } from '../graph/record.ts'
import type { OutgoingRecord } from '../processor/record-collector.ts'

/** Names of the headers that a dead letter adds: Kafka Streams' (KIP-1034), and the node's, which it does not have. Values are text. */
export const DeadLetterHeader = {
  exception: '__streams.errors.exception',
  stacktrace: '__streams.errors.stacktrace',
  message: '__streams.errors.message',
  topic: '__streams.errors.topic',
  partition: '__streams.errors.partition',
  offset: '__streams.errors.offset',
  node: '__streams.errors.node'
} as const

/** What failed: the original bytes, where they came from, and why. */
export interface DeadRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly timestamp: number
  readonly headers: readonly Header[]
  /** Absent for a result emitted at the commit. */
  readonly origin?: RecordOrigin
  readonly node: string
  readonly error: Error
}

/** The record to send to a dead-letter topic. Its partition follows from the original key. */
export function deadLetterRecord(topic: string, dead: DeadRecord): OutgoingRecord {
  const { key, value, timestamp, headers, origin, node, error } = dead
  const reason = error.cause instanceof Error ? error.cause : error
  const added: [string, string][] = [
    [DeadLetterHeader.exception, `${reason.name}: ${reason.message}`],
    [DeadLetterHeader.stacktrace, reason.stack ?? ''],
    [DeadLetterHeader.message, error.message],
    [DeadLetterHeader.node, node]
  ]
  if (origin) {
    added.push(
      [DeadLetterHeader.topic, origin.topic],
      [DeadLetterHeader.partition, String(origin.partition)],
      [DeadLetterHeader.offset, String(origin.offset)]
    )
  }
  const errorHeaders = added.map(([name, text]): Header => ({ key: name, value: Buffer.from(text) }))
  return { topic, partition: undefined, key, value, timestamp, headers: [...headers, ...errorHeaders] }
}
