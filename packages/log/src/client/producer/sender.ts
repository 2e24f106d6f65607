import type { Timer } from '../../environment/environment.ts'
import { produce } from '../../wire/messages/index.ts'
import type { ClientContext } from '../client-context.ts'
import { DeliveryError, UnknownPartitionError } from '../errors.ts'
import { LeaderSearch } from '../leader-search.ts'
import type { BatchDelivery } from './batch-delivery.ts'
import type { NextBatch, PartitionQueue } from './partition-queue.ts'
import { answerFor, produceRequest, type SentPart } from './produce-request.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-options.ts'
import type { ProducerIdentity, ProducerSession } from './producer-session.ts'
import type { RecordAccumulator } from './record-accumulator.ts'

/** What a sender works with. */
export interface SenderParts {
  readonly context: ClientContext
  readonly config: ProducerConfig
  readonly session: ProducerSession
  readonly accumulator: RecordAccumulator
  readonly delivery: BatchDelivery
}

const requestTimeoutMs = 30_000

/**
 * Moves sealed batches to the partitions' leaders. A request carries at most one batch a partition, and as many partitions as fit; up to
 * `maxInFlight` requests to one broker are under way. It never waits: `wake` makes it look once what may be sent, and it is woken by
 * whatever may have changed that.
 */
export class Sender {
  readonly #parts: SenderParts
  readonly #leaders: LeaderSearch
  readonly #lane: string
  readonly #requests = new Map<number, number>()
  #woken = false
  #timer: { readonly atMs: number; readonly timer: Timer } | undefined
  /** Which queue is looked at first: each in its turn, so that none starves when requests are full. */
  #turn = 0
  #closed = false

  constructor(parts: SenderParts) {
    this.#parts = parts
    this.#lane = parts.context.newLane('produce')
    this.#leaders = new LeaderSearch(parts.context, {
      create: parts.config.createTopics,
      searched: () => this.wake(),
      refused: (topic, cause) => {
        const message = `records cannot be sent to topic '${topic}': ${cause.message}`
        parts.delivery.refuseTopic(
          topic,
          new DeliveryError({ message, topic, partition: -1, timedOut: false }, { cause })
        )
      },
      absent: (place, partitions) => {
        parts.delivery.refusePartition(place, new UnknownPartitionError({ ...place, partitions }))
      }
    })
    parts.session.onChange(() => this.wake())
  }

  /** Looks, after the current synchronous work, what may be sent. */
  wake(): void {
    if (this.#woken || this.#closed) return
    this.#woken = true
    void Promise.resolve().then(() => {
      this.#woken = false
      if (!this.#closed) this.#drain()
    })
  }

  /** Seals what is open and resolves when all that was appended is settled, well or not. */
  flush(): Promise<void> {
    const { accumulator } = this.#parts
    accumulator.sealAll()
    return this.#settled(accumulator.queues.flatMap((queue) => [...queue.sealed, ...queue.underWay]))
  }

  /** Resolves when no request carries a batch any more. What waits is left waiting. */
  whenNothingUnderWay(): Promise<void> {
    return this.#settled(this.#parts.accumulator.queues.flatMap((queue) => queue.underWay))
  }

  close(): void {
    this.#closed = true
    this.#timer?.timer.cancel()
  }

  #settled(batches: readonly ProducerBatch[]): Promise<void> {
    if (batches.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      let left = batches.length
      const settled = () => {
        if (--left === 0) resolve()
      }
      for (const batch of batches) batch.whenSettled(settled)
    })
  }

  #drain(): void {
    const nowMs = this.#parts.context.environment.clock.monotonicMs()
    this.#parts.delivery.expire(this.#parts.accumulator.queues, nowMs)
    const identity = this.#parts.session.identity()
    const failure = this.#parts.session.failure()
    if (failure !== undefined) this.#parts.delivery.giveUpWaiting(failure)
    if (identity !== undefined) while (this.#sendRound(identity, nowMs));
    this.#wakeLater(nowMs)
  }

  /** Sends at most one request to each broker. Returns whether there was anything to send. */
  #sendRound(identity: ProducerIdentity, nowMs: number): boolean {
    const { queues } = this.#parts.accumulator
    const requests = new Map<number, { batches: NextBatch[]; sizeBytes: number }>()
    this.#turn = queues.length === 0 ? 0 : (this.#turn + 1) % queues.length
    for (let step = 0; step < queues.length; step++) {
      const queue = queues[(this.#turn + step) % queues.length]
      const batch = this.#sendable(queue, nowMs)
      if (batch === undefined) continue
      const node = this.#leaders.find(queue.topic, queue.partition, nowMs)
      if (node === undefined || (this.#requests.get(node) ?? 0) >= this.#parts.config.maxInFlight) continue
      const request = requests.get(node) ?? { batches: [], sizeBytes: 0 }
      const fits = request.sizeBytes + batch.sizeBytes <= this.#parts.config.maxRequestBytes
      if (!fits && request.batches.length > 0) continue
      const next = queue.take(identity)
      if (next === undefined) continue
      request.batches.push(next)
      request.sizeBytes += batch.sizeBytes
      requests.set(node, request)
    }
    for (const [node, { batches }] of requests) void this.#send(node, batches)
    return requests.size > 0
  }

  #sendable(queue: PartitionQueue, nowMs: number): ProducerBatch | undefined {
    if (queue.sealed.length === 0) return undefined
    const batch = queue.peek(nowMs, this.#parts.config.maxInFlight)
    if (batch === undefined || !this.#parts.session.admits(queue.topic, queue.partition)) return undefined
    return batch
  }

  async #send(node: number, batches: readonly NextBatch[]): Promise<void> {
    const { context, config, session, delivery, accumulator } = this.#parts
    const transactional = session.transactionalId !== null
    const recycle = accumulator.recycle.bind(accumulator)
    const encoding = { compression: config.compression, transactional, recycle }
    const parts: SentPart[] = batches.map(({ batch, identity, baseSequence }) => ({
      ...batch.place,
      batch,
      bytes: batch.encode(identity, baseSequence, encoding)
    }))
    const timeoutMs = Math.min(requestTimeoutMs, config.deliveryTimeoutMs)
    const maxVersion = session.produceMaxVersion
    const options = { node, lane: this.#lane, timeoutMs, ...(maxVersion === undefined ? {} : { maxVersion }) }
    this.#requests.set(node, (this.#requests.get(node) ?? 0) + 1)
    try {
      const response = await context.transport.send(produce, produceRequest(parts, config, timeoutMs), options)
      this.#requestEnded(node)
      for (const part of parts) delivery.answered(part.batch, answerFor(response, part, config.acks))
    } catch (error) {
      this.#requestEnded(node)
      for (const part of parts) delivery.lost(part.batch, error)
    }
    this.wake()
  }

  #requestEnded(node: number): void {
    this.#requests.set(node, (this.#requests.get(node) ?? 1) - 1)
  }

  /** Sets one timer for the next thing that time alone brings: the end of a backoff, or of a batch's time to be delivered. */
  #wakeLater(nowMs: number): void {
    const { accumulator, config } = this.#parts
    let atMs = this.#leaders.retryAtMs(nowMs)
    for (const queue of accumulator.queues) {
      const head = queue.sealed[0]
      if (head === undefined) continue
      atMs = Math.min(atMs, head.place.createdMs + config.deliveryTimeoutMs)
      if (queue.notBeforeMs > nowMs) atMs = Math.min(atMs, queue.notBeforeMs)
    }
    if (this.#timer?.atMs === atMs) return
    this.#timer?.timer.cancel()
    this.#timer = undefined
    if (atMs === Number.POSITIVE_INFINITY) return
    const timer = this.#parts.context.environment.timers.set(Math.max(0, Math.ceil(atMs - nowMs)), () => {
      this.#timer = undefined
      this.wake()
    })
    this.#timer = { atMs, timer }
  }
}
