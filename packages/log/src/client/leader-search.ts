import { ProtocolError } from '../wire/errors.ts'
import { backoffMs } from './backoff.ts'
import type { ClientContext } from './client-context.ts'
import { isRetriableFailure } from './request-failure.ts'
import { partitionKey, type TopicPartition } from './topic-partition.ts'

const backoff = { firstMs: 20, maxMs: 1_000 }
/** So many answers in a row without the partition prove that there is none: a broker may hear a little late of partitions that were added. */
const ANSWERS_TO_PROVE_ABSENCE = 3

/** What a search reports. */
export interface LeaderSearchListener {
  /** Something may be known now that was not. */
  searched(): void
  /** Whether a topic that does not exist may be created by asking for it, where brokers allow that. */
  readonly create: boolean
  /** The topic can never be used (an invalid name, no permission). */
  refused(topic: string, error: ProtocolError): void
  /** The topic is there and has `partitions` partitions, without this one. */
  absent?(place: TopicPartition, partitions: number): void
}

/** Finds partitions' leaders, asking brokers for those that are not known and not more often than a backoff allows. */
export class LeaderSearch {
  readonly #context: ClientContext
  readonly #listener: LeaderSearchListener
  readonly #wanted = new Map<string, TopicPartition>()
  /** Answers in a row that know the topic without the partition, by partition. */
  readonly #missed = new Map<string, number>()
  #searching = false
  #failures = 0
  #notBeforeMs = 0

  constructor(context: ClientContext, listener: LeaderSearchListener) {
    this.#context = context
    this.#listener = listener
  }

  /** Broker id of the partition's leader. When it is not known, it is asked for, and the listener told of the answer. */
  find(topic: string, partition: number, nowMs: number): number | undefined {
    const known = this.#context.metadata.leader(topic, partition)
    if (known !== undefined) return known.leader
    this.#wanted.set(partitionKey(topic, partition), { topic, partition })
    if (!this.#searching && nowMs >= this.#notBeforeMs) void this.#search()
    return undefined
  }

  /** When to look again, monotonic milliseconds; infinity when nothing is wanted. To be asked after `find`, in the same round. */
  retryAtMs(nowMs: number): number {
    if (this.#searching) return Number.POSITIVE_INFINITY
    // Whoever still wants something has just asked for it, and that began a search unless it was too early.
    if (nowMs >= this.#notBeforeMs) this.#wanted.clear()
    return this.#wanted.size > 0 ? this.#notBeforeMs : Number.POSITIVE_INFINITY
  }

  async #search(): Promise<void> {
    const { metadata, environment } = this.#context
    this.#searching = true
    const wanted = [...this.#wanted.values()]
    this.#wanted.clear()
    // One request a topic, so that a topic that is refused holds up no other.
    const topics = new Set(wanted.map(({ topic }) => topic))
    await Promise.all([...topics].map((topic) => this.#askFor(topic)))
    this.#searching = false
    const found = wanted.every(({ topic, partition }) => metadata.leader(topic, partition) !== undefined)
    this.#failures = found ? 0 : this.#failures + 1
    if (!found) this.#notBeforeMs = environment.clock.monotonicMs() + backoffMs(this.#failures, backoff)
    for (const place of wanted) this.#noteAbsence(place)
    this.#listener.searched()
  }

  #noteAbsence(place: TopicPartition): void {
    const key = partitionKey(place.topic, place.partition)
    const known = this.#context.metadata.topic(place.topic)
    const missed = (this.#missed.get(key) ?? 0) + 1
    this.#missed.delete(key)
    if (known === undefined || known.partitions[place.partition] !== undefined) return
    if (missed < ANSWERS_TO_PROVE_ABSENCE) this.#missed.set(key, missed)
    else this.#listener.absent?.(place, known.partitions.length)
  }

  async #askFor(topic: string): Promise<void> {
    try {
      await this.#context.metadata.refresh([topic], this.#listener.create)
    } catch (error) {
      if (!isRetriableFailure(error) && error instanceof ProtocolError) this.#listener.refused(topic, error)
    }
  }
}
