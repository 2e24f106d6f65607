import type { MillraceError } from '../../errors.ts'
import { ErrorCode, type ErrorName, errorFromCode, ProtocolError } from '../../wire/errors.ts'
import { type BackoffBounds, backoffMs } from '../backoff.ts'
import type { ClientContext } from '../client-context.ts'
import { DeliveryError, RecordTooLargeError } from '../errors.ts'
import { isTransportFailure } from '../request-failure.ts'
import type { TopicPartition } from '../topic-partition.ts'
import { splitBatch } from './batch-split.ts'
import type { PartitionQueue } from './partition-queue.ts'
import { judgeProduce, type ProduceOutcome } from './produce-outcome.ts'
import type { ProduceAnswer } from './produce-request.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-options.ts'
import type { ProducerSession } from './producer-session.ts'
import type { RecordAccumulator } from './record-accumulator.ts'

const backoff: BackoffBounds = { firstMs: 20, maxMs: 1_000 }
/** The coordinator is about to finish the previous transaction: in process within the millisecond. */
const concurrentTransactionsBackoff: BackoffBounds = { firstMs: 1, maxMs: 20 }

/** What decides about batches. */
export interface DeliveryParts {
  readonly context: ClientContext
  readonly config: ProducerConfig
  readonly session: ProducerSession
  readonly accumulator: RecordAccumulator
}

/** Decides what follows from a batch's answer, or from its absence: done, again, renumbered, split, or given up. */
export class BatchDelivery {
  readonly #parts: DeliveryParts
  #unreported: MillraceError | undefined

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  /** The first failure, since the last call, of a record that nobody awaits. */
  takeUnreported(): MillraceError | undefined {
    const error = this.#unreported
    this.#unreported = undefined
    return error
  }

  /** A broker answered. */
  answered(batch: ProducerBatch, answer: ProduceAnswer): void {
    const queue = this.#queue(batch)
    const outcome = judgeProduce(answer.errorCode, {
      transactional: this.#parts.session.transactionalId !== null,
      idempotent: this.#parts.session.idempotent,
      earlierUndecided: queue.hasEarlier(batch),
      recordCount: batch.recordCount
    })
    if (outcome === 'acknowledged') this.#acknowledge(batch, answer)
    else if (outcome === 'split') this.#split(batch)
    else if (isFinal(outcome)) this.#giveUp(batch, this.#refusal(batch, answer), outcome === 'fatal')
    else this.#again(batch, answer, outcome)
  }

  /** The request failed on its way, or could not be made. */
  lost(batch: ProducerBatch, cause: unknown): void {
    if (isTransportFailure(cause)) {
      batch.maybeWritten = true
      this.#repeat(batch, cause)
      return
    }
    const { topic, partition } = batch.place
    const message = `records for ${topic}-${partition} could not be sent`
    this.#giveUp(batch, new DeliveryError({ message, topic, partition, timedOut: false }, { cause }), false)
  }

  /** Gives up what has waited longer than records may. */
  expire(queues: readonly PartitionQueue[], nowMs: number): void {
    for (const queue of queues) {
      const head = queue.sealed[0]
      if (head !== undefined && this.#isOverdue(head, nowMs)) this.#giveUp(head, this.#overdue(head), false)
    }
  }

  /** Gives up all that waits. */
  giveUpWaiting(error: MillraceError): void {
    for (const queue of this.#parts.accumulator.queues) this.#dropWaiting(queue, error)
  }

  /** Gives up all that waits for a topic that can never be sent to. */
  refuseTopic(topic: string, error: MillraceError): void {
    this.#refuse(({ topic: other }) => other === topic, error)
  }

  /** Gives up all that waits for a partition that the topic does not have. */
  refusePartition({ topic, partition }: TopicPartition, error: MillraceError): void {
    this.#refuse((queue) => queue.topic === topic && queue.partition === partition, error)
  }

  #refuse(isMeant: (queue: PartitionQueue) => boolean, error: MillraceError): void {
    for (const queue of this.#parts.accumulator.queues) if (isMeant(queue)) this.#dropWaiting(queue, error)
    if (this.#parts.session.transactionalId !== null) this.#parts.session.recordsFailed(error, false)
  }

  #dropWaiting(queue: PartitionQueue, error: MillraceError): void {
    for (const batch of queue.dropWaiting()) this.#settleFailed(batch, error)
  }

  #acknowledge(batch: ProducerBatch, answer: ProduceAnswer): void {
    this.#queue(batch).acknowledged(batch, answer.baseOffset)
    this.#parts.accumulator.release(batch)
    batch.acknowledge(answer.baseOffset, answer.logAppendTimeMs)
  }

  #again(batch: ProducerBatch, answer: ProduceAnswer, outcome: ProduceOutcome): void {
    const { session } = this.#parts
    if (outcome === 'repeatUnknown') batch.maybeWritten = true
    if (outcome === 'renumber') {
      batch.maybeWritten = false
      if (batch.identity === session.identity()) session.startNewEpoch()
    }
    this.#repeat(batch, this.#error(batch, answer))
  }

  #repeat(batch: ProducerBatch, cause: unknown): void {
    const { context, session } = this.#parts
    const queue = this.#queue(batch)
    const nowMs = context.environment.clock.monotonicMs()
    const failure = session.failure()
    if (failure !== undefined) {
      queue.drop(batch)
      this.#settleFailed(batch, failure)
      return
    }
    if (this.#isOverdue(batch, nowMs)) {
      this.#giveUp(batch, this.#overdue(batch, cause), false)
      return
    }
    queue.putBack(batch)
    const bounds = isConcurrentTransaction(cause) ? concurrentTransactionsBackoff : backoff
    if (!queue.hasEarlier(batch)) queue.notBeforeMs = nowMs + backoffMs(batch.attempts, bounds)
    if (provesLeaderStale(cause)) context.metadata.markStale(queue.topic)
  }

  #split(batch: ProducerBatch): void {
    const sent = batch.sentBytes()
    if (sent !== undefined) this.#queue(batch).putBack(batch, splitBatch(batch, sent))
  }

  #giveUp(batch: ProducerBatch, error: MillraceError, fatal: boolean): void {
    const { session } = this.#parts
    this.#queue(batch).drop(batch)
    this.#settleFailed(batch, error)
    if (session.transactionalId !== null || fatal) {
      session.recordsFailed(error, fatal)
      const failure = session.failure()
      if (failure !== undefined) this.giveUpWaiting(failure)
    }
    // Its sequence numbers are used up and no broker has them: what follows would be out of order forever.
    else if (session.idempotent && batch.identity !== undefined && batch.identity === session.identity()) {
      session.startNewEpoch()
    }
  }

  #settleFailed(batch: ProducerBatch, error: MillraceError): void {
    if (batch.unawaited) this.#unreported ??= error
    this.#parts.accumulator.release(batch)
    batch.fail(error)
  }

  #isOverdue(batch: ProducerBatch, nowMs: number): boolean {
    return nowMs - batch.place.createdMs >= this.#parts.config.deliveryTimeoutMs
  }

  #overdue({ place: { topic, partition }, maybeWritten, recordCount }: ProducerBatch, cause?: unknown): DeliveryError {
    const written = maybeWritten ? 'they may have been written all the same' : 'they were not written'
    const waited = `within deliveryTimeoutMs (${this.#parts.config.deliveryTimeoutMs} ms)`
    const message = `${recordCount} records for ${topic}-${partition} were not acknowledged ${waited}; ${written}`
    return new DeliveryError({ message, topic, partition, timedOut: true }, cause === undefined ? {} : { cause })
  }

  #refusal(batch: ProducerBatch, answer: ProduceAnswer): MillraceError {
    const { topic, partition } = batch.place
    const cause = this.#error(batch, answer)
    if (answer.errorCode === ErrorCode.MESSAGE_TOO_LARGE) {
      const message = `a record for ${topic}-${partition} is larger than the topic's max.message.bytes`
      return new RecordTooLargeError({ message, topic, partition, sizeBytes: batch.sizeBytes }, { cause })
    }
    const message = `${batch.recordCount} records for ${topic}-${partition} were refused: ${cause.message}`
    return new DeliveryError({ message, topic, partition, timedOut: false }, { cause })
  }

  #error(batch: ProducerBatch, answer: ProduceAnswer): ProtocolError {
    const message = answer.errorMessage
    return errorFromCode(answer.errorCode, { ...batch.place, ...(message === null ? {} : { message }) })
  }

  #queue({ place }: ProducerBatch): PartitionQueue {
    return this.#parts.accumulator.queue(place.topic, place.partition)
  }
}

function isFinal(outcome: ProduceOutcome): boolean {
  return outcome === 'refused' || outcome === 'abort' || outcome === 'fatal'
}

function isConcurrentTransaction(cause: unknown): boolean {
  return cause instanceof ProtocolError && cause.errorName === 'CONCURRENT_TRANSACTIONS'
}

/** Whether the partition may be led by another broker by now. */
function provesLeaderStale(cause: unknown): boolean {
  if (isTransportFailure(cause)) return true
  return cause instanceof ProtocolError && staleLeaderErrors.has(cause.errorName)
}

const staleLeaderErrors: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_LEADER_OR_FOLLOWER',
  'LEADER_NOT_AVAILABLE',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH'
])
