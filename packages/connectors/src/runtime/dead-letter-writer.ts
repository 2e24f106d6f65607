import { type Consumer, type Producer, partitionForKey } from '@millrace/log'
import type { SinkOffset } from '../sink.ts'
import { deadLetterHeaders, type FailedRecord, type Failing } from './dead-letters.ts'
import type { Life } from './life.ts'

const TRANSACTION_TIMEOUT_MS = 10_000

/**
 * Puts records of a sink aside. The dead letter and the group's offset behind the record are one transaction, fenced by the group's generation:
 * a record has one dead letter, whatever happens.
 */
export class DeadLetterWriter {
  readonly #life: Life
  readonly #consumer: Consumer
  readonly #topic: string
  #producer: Producer | undefined
  #partitions = 1

  constructor(life: Life, consumer: Consumer, topic: string) {
    this.#life = life
    this.#consumer = consumer
    this.#topic = topic
  }

  /** @param offsets behind the record; the record's own offset goes into their metadata. */
  async write(record: FailedRecord, failing: Failing, offsets: readonly SinkOffset[]): Promise<void> {
    const producer = this.#producer ?? (await this.#begin())
    producer.beginTransaction()
    try {
      const { key, value, timestamp } = record
      const partition = key === null ? 0 : partitionForKey(key, this.#partitions)
      producer.enqueue(this.#topic, partition, key, value, timestamp, deadLetterHeaders(record, failing))
      const metadata = JSON.stringify({ deadLetter: record.offset })
      const behind = offsets.map((offset) => ({ ...offset, metadata }))
      await producer.sendOffsetsToTransaction(behind, this.#consumer.groupMetadata())
      await producer.commitTransaction()
    } catch (error) {
      this.#life.meter.figures.deadLetterFailures++
      await this.close()
      throw error
    }
    this.#life.meter.figures.deadLetters++
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    await producer?.close()
  }

  async #begin(): Promise<Producer> {
    const { log, name } = this.#life
    const admin = log.admin()
    const { partitions } = await admin.ensureTopic({ name: this.#topic }).finally(() => admin.close())
    this.#partitions = partitions.length
    // Each runner has an id of its own: several share the partitions, and must not fence each other.
    const transactionalId = `connect-${name}-dlq-${this.#consumer.groupMetadata().memberId}`
    const producer = log.producer({ transactionalId, transactionTimeoutMs: TRANSACTION_TIMEOUT_MS })
    this.#producer = producer
    await producer.initTransactions()
    return producer
  }
}

/** Offset of the record that a committed position says was put aside last; undefined when it says nothing. */
export function deadLetterOf(metadata: string): number | undefined {
  const match = /^\{"deadLetter":(\d+)\}$/.exec(metadata)
  return match === null ? undefined : Number(match[1])
}
