import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import { Admin } from '../../client/admin/admin.ts'
import { type ClientContext, createClientContext } from '../../client/client-context.ts'
import { Consumer } from '../../client/consumer/consumer.ts'
import type { ConsumerOptions, FetchedPartition } from '../../client/consumer/consumer-options.ts'
import type { IsolationLevel } from '../../client/list-offsets.ts'
import { Producer } from '../../client/producer/producer.ts'
import type { ProducerOptions } from '../../client/producer/producer-options.ts'
import type { TopicPartition } from '../../client/topic-partition.ts'
import type { Environment } from '../../environment/environment.ts'
import type { Transport } from '../../transport/transport.ts'
import type { Api } from '../../wire/api.ts'
import type { Header } from '../../wire/batch/record-cursor.ts'
import { FaultyTransport } from '../faulty-transport.ts'

/** A cluster to run the clients against. */
export interface ClusterUnderTest {
  readonly transport: Transport
  readonly environment: Environment
  /** Ends the cluster, or the connection to it. */
  close(): Promise<void>
}

/** A record as a case reads it, as text. */
export interface SeenRecord {
  readonly partition: number
  readonly offset: number
  readonly timestamp: number
  readonly key: string | null
  readonly value: string | null
  readonly headers: readonly Header[]
}

/** How long a case waits for what must come, milliseconds. */
export const PATIENCE_MS = 60_000

/**
 * One case's stage: clients of a cluster over a transport that can be made to fail, with a clock that can be put forward, and names that no other case
 * uses.
 */
export class ClientScene {
  readonly environment: Environment
  readonly network: FaultyTransport
  readonly context: ClientContext
  readonly #cluster: ClusterUnderTest
  readonly #open: { close(): Promise<void> }[] = []
  readonly #suffix: string
  #names = 0
  #aheadMs = 0

  constructor(cluster: ClusterUnderTest) {
    const { clock } = cluster.environment
    this.#cluster = cluster
    this.environment = {
      ...cluster.environment,
      clock: { nowMs: () => clock.nowMs(), monotonicMs: () => clock.monotonicMs() + this.#aheadMs }
    }
    this.network = new FaultyTransport(cluster.transport, cluster.environment)
    this.context = createClientContext(this.network, this.environment)
    this.#suffix = cluster.environment.random.uint32().toString(36)
  }

  /** A name for a topic, a group or a transactional id. */
  name(what: string): string {
    return `${what}-${++this.#names}-${this.#suffix}`
  }

  /** A new topic. */
  async topic(partitions = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    const name = this.name('topic')
    // Timestamps in the cases are of 1970.
    await this.admin().ensureTopic({ name, partitions, configs: { 'retention.ms': '-1', ...configs } })
    return name
  }

  producer(options?: ProducerOptions): Producer {
    return this.#keep(new Producer(this.context, options))
  }

  /** A transactional producer, initialized. */
  async transactional(transactionalId = this.name('transactional'), options: ProducerOptions = {}): Promise<Producer> {
    const producer = this.producer({ ...options, transactionalId })
    await producer.initTransactions()
    return producer
  }

  consumer(options?: ConsumerOptions): Consumer {
    return this.#keep(new Consumer(this.context, options))
  }

  admin(): Admin {
    return new Admin(this.context)
  }

  /**
   * Puts the clients' clock forward, so that a time that is over is over for certain, and one that is not cannot be by accident. Timers that are set
   * already go off when they would have.
   */
  putForward(durationMs: number): void {
    this.#aheadMs += durationMs
  }

  /** Puts the clock forward once the clients have sent three more requests of the kind: while they try again and again. */
  async putForwardDuring(api: Api, durationMs: number): Promise<void> {
    const sent = () => this.network.sent.get(api.name) ?? 0
    const before = sent()
    while (sent() < before + 3) await this.turn()
    this.putForward(durationMs)
  }

  /**
   * Resolves when no transaction is open in the partitions: a commit is answered before its markers are written, and until then readers of
   * committed records do not see it.
   */
  async decided(topic: string, partitions: readonly number[] = [0]): Promise<void> {
    const { clock } = this.environment
    const deadlineMs = clock.monotonicMs() + PATIENCE_MS
    const queries = partitions.map((partition) => ({ topic, partition, at: 'latest' as const }))
    const ends = (isolation: IsolationLevel) => this.admin().listOffsets(queries, isolation)
    while (!isDeepStrictEqual(await ends('read_committed'), await ends('read_uncommitted'))) {
      assert.ok(clock.monotonicMs() < deadlineMs, 'a transaction stays open')
      await this.turn()
    }
  }

  /** Lets everything that is due happen: one turn of the event loop. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.environment.timers.soon(resolve)
    })
  }

  /** Reads partitions of a topic from their start to their end, once no transaction is open in them. */
  async read(topic: string, options: ConsumerOptions = {}, partitions: readonly number[] = [0]): Promise<SeenRecord[]> {
    const consumer = this.consumer(options)
    const assigned = partitions.map((partition) => ({ topic, partition }))
    await this.decided(topic, partitions)
    const ends = await consumer.endOffsets(assigned)
    consumer.assign(assigned)
    const seen: SeenRecord[] = []
    const behind = () => assigned.some((place) => consumer.position(place) < endOf(ends, place))
    while (behind()) seen.push(...records(await consumer.poll(20)))
    await consumer.close()
    return seen
  }

  /** Values of one partition, in order. */
  async values(topic: string, options: ConsumerOptions = {}): Promise<(string | null)[]> {
    return (await this.read(topic, options)).map(({ value }) => value)
  }

  /** Polls all consumers side by side until `done`. */
  async pollUntil(
    consumers: readonly Consumer[],
    done: () => boolean,
    seen: (records: SeenRecord[]) => void = () => {}
  ): Promise<void> {
    const { clock } = this.environment
    const deadlineMs = clock.monotonicMs() + PATIENCE_MS
    const follow = async (consumer: Consumer) => {
      while (!done()) {
        assert.ok(clock.monotonicMs() < deadlineMs, 'the condition did not come true')
        seen(records(await consumer.poll(20)))
      }
    }
    await Promise.all(consumers.map(follow))
  }

  async close(): Promise<void> {
    this.network.heal()
    for (const client of this.#open.reverse()) await client.close().catch(() => {})
    await this.#cluster.close()
  }

  #keep<T extends { close(): Promise<void> }>(client: T): T {
    this.#open.push(client)
    return client
  }
}

/** The records of what a poll returned, those before the position left out. */
export function records(fetched: readonly FetchedPartition[]): SeenRecord[] {
  const seen: SeenRecord[] = []
  for (const { partition, batches, position } of fetched) {
    for (const batch of batches) {
      const cursor = batch.records()
      while (cursor.next()) {
        if (cursor.offset < position) continue
        const { offset, timestamp } = cursor
        const [key, value] = [text(cursor.key()), text(cursor.value())]
        seen.push({ partition, offset, timestamp, key, value, headers: cursor.headers() })
      }
    }
  }
  return seen
}

/** Bytes of a text. */
export function bytes(value: string): Buffer {
  return Buffer.from(value)
}

function text(value: Buffer | null): string | null {
  return value === null ? null : value.toString()
}

function endOf(ends: ReadonlyMap<string, number>, { topic, partition }: TopicPartition): number {
  return ends.get(`${topic}-${partition}`) ?? 0
}
