import { type FetchedPartition, type Header, type Log, partitionKey } from '@millrace/log'

/** A record as it was read. The bytes are shared with other readers: read-only. */
export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly Header[]
}

/** What is read: partitions of a topic, each from an offset on (default: its first). */
export interface ReadRange {
  readonly topic: string
  readonly partitions: readonly number[]
  readonly fromOffset?: number
}

const POLL_MS = 200

/**
 * Reads committed records up to what was the end, open transactions included, when the reading began: nothing that had been written by then is
 * missed, as long as its transaction is settled one day. Hands over a page for each fetched partition.
 */
export async function* readToEnd(log: Log, range: ReadRange): AsyncGenerator<FetchedPage> {
  const { topic } = range
  const places = range.partitions.map((partition) => ({ topic, partition }))
  const consumer = log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' })
  try {
    const ends = await consumer.endOffsets(places, 'read_uncommitted')
    const begins = await consumer.beginningOffsets(places)
    const first = (partition: number) =>
      Math.max(range.fromOffset ?? 0, begins.get(partitionKey(topic, partition)) ?? 0)
    const left = new Map<number, number>()
    for (const { partition } of places) {
      const end = ends.get(partitionKey(topic, partition)) ?? 0
      if (first(partition) < end) left.set(partition, end)
    }
    consumer.assign([...left.keys()].map((partition) => ({ topic, partition })))
    for (const partition of left.keys()) consumer.seek({ topic, partition }, first(partition))
    while (left.size > 0) {
      for (const fetched of await consumer.poll(POLL_MS)) {
        yield { records: [...recordsOf(fetched)], partition: fetched.partition, nextOffset: fetched.nextOffset }
        if (fetched.nextOffset < (left.get(fetched.partition) ?? 0)) continue
        left.delete(fetched.partition)
        consumer.pause([{ topic, partition: fetched.partition }])
      }
    }
  } finally {
    await consumer.close()
  }
}

/** Part of a partition. */
export interface FetchedPage {
  readonly records: readonly ReadRecord[]
  readonly partition: number
  /** Where reading goes on, markers and gaps included. */
  readonly nextOffset: number
}

/** The records of what was fetched, without those before the position that was asked for. */
export function* recordsOf(fetched: FetchedPartition): Generator<ReadRecord> {
  const { partition, position } = fetched
  for (const batch of fetched.batches) {
    const cursor = batch.records()
    while (cursor.next()) {
      const { offset, timestamp } = cursor
      if (offset < position) continue
      yield { partition, offset, timestamp, key: cursor.key(), value: cursor.value(), headers: cursor.headers() }
    }
  }
}
