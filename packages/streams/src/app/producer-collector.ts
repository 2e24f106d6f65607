import { type Producer, partitionForKey } from '@millrace/log'
import type { OutgoingRecord, RecordCollector } from '../processor/record-collector.ts'
import { UnknownSinkTopicError } from './errors.ts'

/** Sends of all tasks of a thread go to its producer, inside the transaction. */
export class ProducerCollector implements RecordCollector {
  readonly #producer: Producer
  readonly #partitions: ReadonlyMap<string, number>
  /** Records without a key go round the partitions, one batch's worth each. */
  #keyless = 0

  constructor(producer: Producer, partitions: ReadonlyMap<string, number>) {
    this.#producer = producer
    this.#partitions = partitions
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

  #choose(record: OutgoingRecord): number {
    const count = this.partitionCount(record.topic)
    if (count === 1) return 0
    return record.key === null ? (this.#keyless++ >>> 10) % count : partitionForKey(record.key, count)
  }
}
