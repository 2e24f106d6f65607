import type { Header } from '../graph/record.ts'

/** A record on its way to a topic. Its key's and value's buffers are valid until `send` returns: who keeps the record copies them. */
export interface OutgoingRecord {
  /** Full name. */
  readonly topic: string
  /** Undefined: by the key's bytes (murmur2), as Kafka's default partitioner does. */
  readonly partition: number | undefined
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly headers: readonly Header[]
}

/** Where a task's sends go: the producer of its thread, inside the transaction. Never waits; failures surface at the commit. */
export interface RecordCollector {
  send(record: OutgoingRecord): void
  /** Partitions of a topic, for a node with a partitioner of its own. */
  partitionCount(topic: string): number
  /**
   * Finds out about a topic that the topology does not name; undefined when it is known already. Rejects when there is none.
   */
  lookUp(topic: string): Promise<void> | undefined
}

/** The record with bytes of its own, to be kept. */
export function keptRecord(record: OutgoingRecord): OutgoingRecord {
  const { key, value } = record
  return { ...record, key: key && Buffer.from(key), value: value && Buffer.from(value) }
}
