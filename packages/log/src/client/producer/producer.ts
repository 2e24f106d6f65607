import { type MillraceError, UsageError } from '../../errors.ts'
import type { Header } from '../../wire/batch/record-cursor.ts'
import type { ClientContext } from '../client-context.ts'
import { TransactionAbortedError } from '../errors.ts'
import type { GroupMetadata, GroupOffset } from '../group-offset.ts'
import { BatchDelivery } from './batch-delivery.ts'
import { anonymousSession, IdempotentSession } from './plain-sessions.ts'
import { type ProducerOptions, type ProducerRecord, producerConfig, type RecordMetadata } from './producer-options.ts'
import type { ProducerSession } from './producer-session.ts'
import { RecordAccumulator, recordSizeBytes } from './record-accumulator.ts'
import { SendLine } from './send-line.ts'
import { Sender } from './sender.ts'
import { StickyPartitioner } from './sticky-partitioner.ts'
import { TransactionManager } from './transaction-manager.ts'

/**
 * Writes records: batched by partition, each written once and in order (unless `idempotent` is false), and, with a `transactionalId`, all or
 * none of a transaction's.
 *
 * `send` is for single records whose fate matters to the caller; `enqueue` is for streams of them, whose failures surface at `flush` or
 * `commitTransaction`. Both copy the buffers they are given.
 */
export class Producer {
  readonly #transactions: TransactionManager | undefined
  readonly #accumulator: RecordAccumulator
  readonly #delivery: BatchDelivery
  readonly #sender: Sender
  readonly #line: SendLine
  #closed = false

  /** @throws UsageError for an option out of range. */
  constructor(context: ClientContext, options: ProducerOptions = {}) {
    const config = producerConfig(options)
    const { environment, metadata } = context
    const { transactionalId } = config
    this.#transactions = transactionalId === null ? undefined : new TransactionManager(context, config, transactionalId)
    const idempotent = config.idempotent ? new IdempotentSession(context, config) : anonymousSession
    const session: ProducerSession = this.#transactions ?? idempotent
    const accumulator = new RecordAccumulator(environment, config, () => this.#sender.wake())
    this.#accumulator = accumulator
    this.#delivery = new BatchDelivery({ context, config, session, accumulator })
    this.#sender = new Sender({ context, config, session, accumulator, delivery: this.#delivery })
    const sticky = new StickyPartitioner(environment.random, config.batchBytes)
    this.#line = new SendLine({ environment, metadata, config, accumulator, sticky })
  }

  /** Bytes of records that are not yet acknowledged: what a caller of `enqueue` looks at to hold back in time. */
  get bufferedBytes(): number {
    return this.#accumulator.bufferedBytes
  }

  /**
   * Begins to be the producer of the transactional id: fences whoever was it before and ends its open transaction. Needed once before the
   * first transaction; after a commit or abort of unknown outcome it makes the coordinator settle it.
   * @throws ProducerFencedError, FatalProducerError; ClientTimeoutError when it may be called again.
   */
  initTransactions(): Promise<void> {
    return this.#transactional('initTransactions').initialize()
  }

  /** Begins a transaction; brokers hear of it with its first record. @throws UsageError unless the producer is ready. */
  beginTransaction(): void {
    this.#transactional('beginTransaction').begin()
  }

  /**
   * Sends one record and resolves when it is acknowledged. Waits for room when the buffer is full.
   * @throws DeliveryError, RecordTooLargeError, BufferFullError, UnknownTopicError, UnknownPartitionError; in a transaction also what stopped it.
   */
  send(record: ProducerRecord): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      this.#requireSending()
      this.#line.push({ record, resolve, reject })
    })
  }

  /**
   * Takes one record for a known partition, without a promise and without waiting: hold back yourself by `bufferedBytes`. Its failure
   * surfaces at `flush` or `commitTransaction`. `timestamp` is in milliseconds since the epoch.
   * @throws RecordTooLargeError, and in a transaction what stopped it.
   */
  enqueue(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp: number,
    headers?: readonly Header[]
  ): void {
    this.#requireSending()
    const queue = this.#accumulator.queue(topic, partition)
    this.#accumulator.reserve(queue, recordSizeBytes(key, value, headers)).append(key, value, timestamp, headers)
  }

  /**
   * Sends all that is buffered and resolves when it is acknowledged.
   * @throws the first failure of a record that nobody awaits, or what stopped the transaction.
   */
  async flush(): Promise<void> {
    await this.#settle()
    const error = this.#delivery.takeUnreported()
    if (error !== undefined) throw this.#transactions?.failure() ?? error
  }

  /** Offset of this producer's last acknowledged record in the partition; -1 when there is none, or `acks` is 0. */
  lastOffset(topic: string, partition: number): number {
    return this.#accumulator.queue(topic, partition).lastOffset
  }

  /**
   * Makes a group's positions part of the transaction. All of them in one request, fenced by the group's generation.
   * @throws AbortableTransactionError when they are refused: with a CommitRefusedError as its cause, the group has moved on.
   */
  sendOffsetsToTransaction(offsets: readonly GroupOffset[], group: GroupMetadata): Promise<void> {
    return this.#transactional('sendOffsetsToTransaction').sendOffsets(offsets, group)
  }

  /**
   * Sends what is buffered and commits.
   * @throws AbortableTransactionError when the transaction has to be aborted; UnknownOutcomeError when no answer came: call again, or
   * `initTransactions`; ProducerFencedError or FatalProducerError when this producer is done.
   */
  async commitTransaction(): Promise<void> {
    await this.#transactional('commitTransaction').commit(() => this.#settle())
    this.#delivery.takeUnreported()
  }

  /** Aborts: what was sent in the transaction will not be read by `read_committed` consumers. Throws as `commitTransaction` does. */
  async abortTransaction(): Promise<void> {
    const transactions = this.#transactional('abortTransaction')
    await transactions.abort(() => this.#giveUp(new TransactionAbortedError('the transaction was aborted')))
    this.#delivery.takeUnreported()
  }

  /** Sends what is buffered, aborts an open transaction, and lets go. A failed record does not keep it from closing. */
  async close(): Promise<void> {
    if (this.#closed) return
    const state = this.#transactions?.state
    if (state === 'inTransaction' || state === 'abortableError') await this.abortTransaction().catch(() => {})
    else await this.#settle()
    this.#closed = true
    this.#sender.close()
  }

  async #settle(): Promise<void> {
    await this.#line.empty()
    await this.#sender.flush()
  }

  async #giveUp(error: MillraceError): Promise<void> {
    this.#line.dismiss(error)
    this.#delivery.giveUpWaiting(error)
    await this.#sender.whenNothingUnderWay()
  }

  #requireSending(): void {
    if (this.#closed) throw new UsageError('the producer is closed: make a new one')
    this.#transactions?.require('send')
  }

  #transactional(method: string): TransactionManager {
    if (this.#closed) throw new UsageError(`${method}() on a closed producer: make a new one`)
    if (this.#transactions === undefined) {
      throw new UsageError(`${method}() needs a producer with a transactionalId: set it in the producer's options`)
    }
    return this.#transactions
  }
}
