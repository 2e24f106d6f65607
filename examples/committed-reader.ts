import type { Consumer, Log, TopicPartition } from '@millrace/log'

/** A record, as text. */
export interface ReadRecord {
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: string
}

const POLL_MS = 200

/**
 * Reads a topic from one committed point to the next: in each partition to where, at the moment of asking, no transaction is open. Up to there
 * every transaction is whole.
 */
export class CommittedReader {
  readonly #consumer: Consumer
  readonly #partitions: readonly TopicPartition[]
  /** Fetched already, and behind the point. */
  #ahead: ReadRecord[] = []

  private constructor(consumer: Consumer, partitions: readonly TopicPartition[]) {
    this.#consumer = consumer
    this.#partitions = partitions
    consumer.assign(partitions)
  }

  static async open(log: Log, topic: string): Promise<CommittedReader> {
    const admin = log.admin()
    const { partitions } = await admin.ensureTopic({ name: topic }).finally(() => admin.close())
    const all = partitions.map(({ index }) => ({ topic, partition: index }))
    return new CommittedReader(log.consumer({ isolation: 'read_committed', offsetReset: 'earliest' }), all)
  }

  /** What lies between the point reached before and the one of now; the order is that of each partition. */
  async readOn(): Promise<readonly ReadRecord[]> {
    const ends = await this.#consumer.endOffsets(this.#partitions)
    const endOf = ({ topic, partition }: TopicPartition) => ends.get(`${topic}-${partition}`) ?? 0
    while (this.#partitions.some((each) => Math.max(0, this.#consumer.position(each)) < endOf(each))) {
      for (const { partition, batches } of await this.#consumer.poll(POLL_MS)) {
        for (const batch of batches) {
          const cursor = batch.records()
          while (cursor.next()) {
            const { offset } = cursor
            this.#ahead.push({ partition, offset, key: String(cursor.key()), value: String(cursor.value()) })
          }
        }
      }
    }
    const isReached = ({ partition, offset }: ReadRecord) =>
      offset < endOf({ topic: this.#partitions[0].topic, partition })
    const reached = this.#ahead.filter(isReached)
    this.#ahead = this.#ahead.filter((record) => !isReached(record))
    return reached
  }

  close(): Promise<void> {
    return this.#consumer.close()
  }
}
