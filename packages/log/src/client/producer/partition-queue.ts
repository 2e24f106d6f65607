import type { RecordBatchBuilder } from '../../wire/batch/batch-builder.ts'
import { ProducerBatch } from './producer-batch.ts'
import type { ProducerIdentity } from './producer-session.ts'

/** Sequence numbers are 31 bits and start over at 0. */
const SEQUENCE_MODULUS = 2 ** 31

/** The sequence number `count` records after `sequence`. */
export function sequenceAfter(sequence: number, count: number): number {
  return (sequence + count) % SEQUENCE_MODULUS
}

/** A batch and as what it is to be sent. */
export interface NextBatch {
  readonly batch: ProducerBatch
  readonly identity: ProducerIdentity
  readonly baseSequence: number
}

/**
 * One partition's batches, in order: one open for appends, sealed ones that wait, and those under way. It owns the sequence numbers.
 *
 * - A batch gets its number when it is first sent, and keeps it over repetitions.
 * - A repetition goes alone: nothing is under way beside it, so nothing overtakes it, and it cannot fall out of the five batches that a
 *   broker remembers.
 * - A producer id that the partition has not met goes alone too. Brokers take any first number from an id they do not know, so a second
 *   batch could be written while the first one is refused.
 * - A batch that was certainly not written takes a new number when the producer has got a new epoch meanwhile; one that may be written
 *   keeps the old one until a broker has decided.
 */
export class PartitionQueue {
  readonly topic: string
  readonly partition: number
  /** Offset of the last acknowledged record, -1 for none. */
  lastOffset = -1
  /** Monotonic milliseconds before which nothing is sent, after a failure. */
  notBeforeMs = 0
  #open: ProducerBatch | undefined
  readonly #sealed: ProducerBatch[] = []
  readonly #underWay: ProducerBatch[] = []
  #orders = 0
  #identity: ProducerIdentity | undefined
  #knownProducerId = -1
  #nextSequence = 0

  constructor(topic: string, partition: number) {
    this.topic = topic
    this.partition = partition
  }

  get open(): ProducerBatch | undefined {
    return this.#open
  }

  get sealed(): readonly ProducerBatch[] {
    return this.#sealed
  }

  get underWay(): readonly ProducerBatch[] {
    return this.#underWay
  }

  openBatch(nowMs: number, builder: RecordBatchBuilder): ProducerBatch {
    const place = { topic: this.topic, partition: this.partition, order: ++this.#orders, createdMs: nowMs }
    this.#open = new ProducerBatch(place, builder)
    return this.#open
  }

  /** Closes the open batch; it may be sent now. */
  seal(): void {
    if (this.#open === undefined) return
    this.#sealed.push(this.#open)
    this.#open = undefined
  }

  /** The batch that may be sent now, if there is one; it is not taken yet. */
  peek(nowMs: number, maxUnderWay: number): ProducerBatch | undefined {
    const head = this.#sealed[0]
    if (head === undefined || nowMs < this.notBeforeMs || this.#underWay.length >= maxUnderWay) return undefined
    const repeating = head.attempts > 0 || this.#underWay.some(({ attempts }) => attempts > 1)
    return repeating && this.#underWay.length > 0 ? undefined : head
  }

  /** Takes the head to send it as `identity`; undefined while batches under way still belong to another epoch or id. */
  take(identity: ProducerIdentity): NextBatch | undefined {
    const batch = this.#sealed[0]
    if (batch.identity !== undefined && (batch.identity === identity || batch.maybeWritten)) {
      return this.#start(batch, batch.identity, batch.baseSequence)
    }
    if (this.#identity !== identity || this.#knownProducerId !== identity.producerId) {
      if (this.#underWay.length > 0) return undefined
      if (this.#identity !== identity) this.#adopt(identity)
    }
    if (identity.producerId < 0) return this.#start(batch, identity, -1)
    const baseSequence = this.#nextSequence
    this.#nextSequence = sequenceAfter(baseSequence, batch.recordCount)
    return this.#start(batch, identity, baseSequence)
  }

  /** The batch is written. `baseOffset` is -1 when the broker did not say where. */
  acknowledged(batch: ProducerBatch, baseOffset: number): void {
    this.#stop(batch)
    if (batch.identity !== undefined) this.#knownProducerId = batch.identity.producerId
    if (baseOffset >= 0) this.lastOffset = Math.max(this.lastOffset, baseOffset + batch.recordCount - 1)
  }

  /** Puts the batch, or what it was split into, back to its place to be sent again. */
  putBack(batch: ProducerBatch, parts: readonly ProducerBatch[] = [batch]): void {
    this.#stop(batch)
    const after = this.#sealed.findIndex((other) => other.place.order > batch.place.order)
    this.#sealed.splice(after < 0 ? this.#sealed.length : after, 0, ...parts)
  }

  /** Takes a batch out for good. */
  drop(batch: ProducerBatch): void {
    this.#stop(batch)
    const index = this.#sealed.indexOf(batch)
    if (index >= 0) this.#sealed.splice(index, 1)
  }

  /** Takes out everything that is not under way, the open batch included. */
  dropWaiting(): readonly ProducerBatch[] {
    this.seal()
    return this.#sealed.splice(0)
  }

  /** Whether a batch before this one is still undecided. */
  hasEarlier(batch: ProducerBatch): boolean {
    const earlier = (other: ProducerBatch) => other.place.order < batch.place.order
    return this.#underWay.some(earlier) || this.#sealed.some((other) => other.attempts > 0 && earlier(other))
  }

  /** From here on as `identity`. What waits behind a batch that was not written was not written either. */
  #adopt(identity: ProducerIdentity): void {
    this.#identity = identity
    this.#nextSequence = 0
    for (const waiting of this.#sealed) waiting.maybeWritten = false
  }

  #start(batch: ProducerBatch, identity: ProducerIdentity, baseSequence: number): NextBatch {
    this.#sealed.shift()
    this.#underWay.push(batch)
    return { batch, identity, baseSequence }
  }

  #stop(batch: ProducerBatch): void {
    const index = this.#underWay.indexOf(batch)
    if (index >= 0) this.#underWay.splice(index, 1)
  }
}
