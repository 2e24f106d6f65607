import type { Consumer, Log, TopicPartition } from '@millrace/log'

/** A record that a topology wrote and committed: topic, key, value, timestamp. */
export interface CommittedRecord {
  readonly topic: string
  readonly key: string | null
  readonly value: string | null
  readonly timestamp: number
}

const POLL_MS = 20

/** Reads what was committed to topics of text, each record once, over all lives of the log. */
export class CommittedReader {
  readonly #partitions: readonly TopicPartition[]
  readonly #positions = new Map<string, number>()

  constructor(topics: readonly string[], partitions: number) {
    this.#partitions = topics.flatMap((topic) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }))
    )
  }

  /** What is new since the last call: topic by topic in the order they were given, partition by partition. */
  async readNew(log: Log): Promise<readonly CommittedRecord[]> {
    if (this.#partitions.length === 0) return []
    const consumer = log.consumer({ isolation: 'read_committed', fetchMaxWaitMs: POLL_MS })
    try {
      return await this.#readTo(consumer, await consumer.endOffsets(this.#partitions, 'read_committed'))
    } finally {
      await consumer.close()
    }
  }

  async #readTo(consumer: Consumer, ends: ReadonlyMap<string, number>): Promise<readonly CommittedRecord[]> {
    const behind = this.#partitions.filter((at) => this.#position(at) < (ends.get(nameOf(at)) ?? 0))
    const found = new Map<string, CommittedRecord[]>()
    consumer.assign(behind)
    for (const at of behind) consumer.seek(at, this.#position(at))
    while (behind.some((at) => this.#position(at) < (ends.get(nameOf(at)) ?? 0))) {
      for (const fetched of await consumer.poll(POLL_MS)) {
        const records = found.get(nameOf(fetched)) ?? []
        for (const batch of fetched.batches) {
          const cursor = batch.records()
          while (cursor.next()) {
            if (cursor.offset < fetched.position) continue
            const [key, value] = [cursor.key()?.toString() ?? null, cursor.value()?.toString() ?? null]
            records.push({ topic: fetched.topic, key, value, timestamp: cursor.timestamp })
          }
        }
        found.set(nameOf(fetched), records)
        this.#positions.set(nameOf(fetched), fetched.nextOffset)
      }
    }
    return this.#partitions.flatMap((at) => found.get(nameOf(at)) ?? [])
  }

  #position(at: TopicPartition): number {
    return this.#positions.get(nameOf(at)) ?? 0
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`
}
