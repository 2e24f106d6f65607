import { type Producer, partitionForKey } from '@millrace/log'
import type { OutgoingRecord, RecordCollector } from '../processor/record-collector.ts'
import { UnknownSinkTopicError } from './errors.ts'

/** Sends of all tasks of a thread go to its producer, inside the transaction. */
export class ProducerCollector implements RecordCollector {
  readonly #producer: Producer
  readonly #partitions: Map<string, number>
  readonly #countPartitions: (topic: string) => Promise<number | undefined>
  readonly #lookups = new Map<string, Promise<void>>()
  /** Records without a key go round the partitions, one batch's worth each. */
  #keyless = 0

  /** @param countPartitions Asks the cluster; undefined when there is no such topic. */
  constructor(
    producer: Producer,
    partitions: ReadonlyMap<string, number>,
    countPartitions: (topic: string) => Promise<number | undefined>
  ) {
    this.#producer = producer
    this.#partitions = new Map(partitions)
    this.#countPartitions = countPartitions
  }

  send(record: OutgoingRecord): void {
    const partition = record.partition ?? this.#choose(record)
    this.#producer.enqueue(record.topic, partition, record.key, record.value, record.timestamp, record.headers)
  }

  partitionCount(topic: string): number {
    const count = this.#partitions.get(topic)
    if (count === undefined) throw new UnknownSinkTopicError(topic)
    return count
  }

  /** @throws UnknownSinkTopicError, as a rejection. The next record for the topic asks again. */
  lookUp(topic: string): Promise<void> | undefined {
    if (this.#partitions.has(topic)) return undefined
    const known = this.#lookups.get(topic)
    if (known) return known
    const lookup = this.#countPartitions(topic)
      .then((count) => {
        if (count === undefined) throw new UnknownSinkTopicError(topic)
        this.#partitions.set(topic, count)
      })
      .finally(() => this.#lookups.delete(topic))
    this.#lookups.set(topic, lookup)
    return lookup
  }

  #choose(record: OutgoingRecord): number {
    const count = this.partitionCount(record.topic)
    if (count === 1) return 0
    return record.key === null ? (this.#keyless++ >>> 10) % count : partitionForKey(record.key, count)
  }
}
