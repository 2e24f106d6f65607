import {
  AbortableTransactionError,
  type Consumer,
  type Log,
  MillraceError,
  type Producer,
  ProducerFencedError,
  RecordTooLargeError,
  UsageError
} from '@millrace/log'
import { RegistryErrorCode, RegistryFencedError, RegistryRefusedError, RegistryUnavailableError } from '../errors.ts'
import { decodeRegistryRecord, encodeRegistryRecord, type RegistryRecord } from './registry-record.ts'

const POLL_MS = 500
const READ_LIMIT_MS = 60_000

/**
 * The registry's compacted topic, with this process as its one writer: opening it fences, by a transactional id that the topic has, whoever wrote it
 * before. What is written is not remembered but read back, so that the state is what the topic says, after every write as after a restart.
 */
export class RegistryTopic {
  readonly #log: Log
  readonly #topic: string
  readonly #producer: Producer
  readonly #consumer: Consumer
  readonly #apply: (record: RegistryRecord) => void
  #unsettled = false
  #fenced: RegistryFencedError | undefined

  private constructor(log: Log, topic: string, apply: (record: RegistryRecord) => void) {
    this.#log = log
    this.#topic = topic
    this.#apply = apply
    this.#producer = log.producer({ transactionalId: `schema-registry-${topic}` })
    this.#consumer = log.consumer()
    this.#consumer.assign([{ topic, partition: 0 }])
  }

  /**
   * Makes the topic if it is missing, takes it over, and reads it to its end.
   * @throws UsageError for a topic that would not keep schemas, or their order. RegistryTopicError for one that is no registry's.
   */
  static async open(log: Log, topic: string, apply: (record: RegistryRecord) => void): Promise<RegistryTopic> {
    await requireTopic(log, topic)
    const opened = new RegistryTopic(log, topic, apply)
    try {
      await opened.#producer.initTransactions()
      await opened.#readToEnd()
    } catch (error) {
      await opened.close()
      throw error
    }
    return opened
  }

  /**
   * After a write that failed: ends its transaction one way or the other, and learns which. To be called before what is written next is planned, since
   * it may bring records.
   * @throws as `write` does.
   */
  async settle(): Promise<void> {
    if (!this.#unsettled || this.#fenced !== undefined) return
    // Refused when a commit is under way; then it is for initTransactions to settle.
    await this.#producer.abortTransaction().catch(() => undefined)
    try {
      await this.#producer.initTransactions()
      await this.#readToEnd()
      this.#unsettled = false
    } catch (error) {
      throw await this.#failure(error)
    }
  }

  /**
   * Appends records, all or none of them, and reads them back. One call at a time.
   * @throws RegistryFencedError; RegistryUnavailableError when it is not known to be written: ask again.
   */
  async write(records: readonly RegistryRecord[]): Promise<void> {
    if (this.#fenced !== undefined) throw this.#fenced
    try {
      this.#unsettled = true
      this.#producer.beginTransaction()
      for (const record of records) {
        const { key, value } = encodeRegistryRecord(record)
        this.#producer.enqueue(this.#topic, 0, key, value, this.#log.environment.clock.nowMs())
      }
      await this.#producer.commitTransaction()
      // The commit is decided before its marker is in the partition, so the end that readers see may still be before these records.
      await this.#readTo(this.#producer.lastOffset(this.#topic, 0) + 1)
      this.#unsettled = false
    } catch (error) {
      throw await this.#failure(error)
    }
  }

  /** Gives the topic up. */
  async close(): Promise<void> {
    await this.#consumer.close()
    await this.#producer.close()
  }

  async #failure(error: unknown): Promise<unknown> {
    if (causedBy(error, ProducerFencedError)) {
      this.#fenced = new RegistryFencedError(this.#topic, { cause: error })
      return this.#fenced
    }
    if (error instanceof AbortableTransactionError || error instanceof RecordTooLargeError) {
      await this.#producer.abortTransaction().then(
        () => {
          this.#unsettled = false
        },
        () => {}
      )
    }
    if (causedBy(error, RecordTooLargeError)) {
      return new RegistryRefusedError(
        RegistryErrorCode.SCHEMA_TOO_LARGE,
        'the schema does not fit in a record of the log'
      )
    }
    if (!(error instanceof MillraceError)) return error
    const message = `the registry's topic ${this.#topic} could not be written: ${error.message}; ask again`
    return new RegistryUnavailableError(RegistryErrorCode.STORE_FAILED, message, { cause: error })
  }

  async #readToEnd(): Promise<void> {
    const ends = await this.#consumer.endOffsets([{ topic: this.#topic, partition: 0 }])
    await this.#readTo(Math.max(0, ...ends.values()))
  }

  async #readTo(end: number): Promise<void> {
    const place = { topic: this.#topic, partition: 0 }
    const { clock } = this.#log.environment
    const deadlineMs = clock.monotonicMs() + READ_LIMIT_MS
    while (end > 0 && this.#consumer.position(place) < end) {
      if (clock.monotonicMs() > deadlineMs) {
        const message = `the registry's topic ${this.#topic} could not be read up to offset ${end}; ask again`
        throw new RegistryUnavailableError(RegistryErrorCode.TIMED_OUT, message)
      }
      for (const { batches, position } of await this.#consumer.poll(POLL_MS)) {
        for (const batch of batches) {
          const cursor = batch.records()
          while (cursor.next()) {
            if (cursor.offset < position) continue
            const where = { topic: this.#topic, offset: cursor.offset }
            const record = decodeRegistryRecord(cursor.key(), cursor.value(), where)
            if (record !== undefined) this.#apply(record)
          }
        }
      }
    }
  }
}

async function requireTopic(log: Log, topic: string): Promise<void> {
  const admin = log.admin()
  const { partitions } = await admin.ensureTopic({
    name: topic,
    partitions: 1,
    configs: { 'cleanup.policy': 'compact' }
  })
  const configs = await admin.describeConfigs({ type: 'topic', name: topic })
  const policy = configs.get('cleanup.policy')?.value
  if (partitions.length !== 1) {
    throw new UsageError(
      `the topic ${topic} has ${partitions.length} partitions: a schema registry's has one, for its order`
    )
  }
  if (policy !== 'compact') {
    throw new UsageError(`the topic ${topic} has cleanup.policy ${policy}: set it to compact, or schemas will be lost`)
  }
}

function causedBy(error: unknown, kind: typeof ProducerFencedError | typeof RecordTooLargeError): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof kind) return true
  return false
}
