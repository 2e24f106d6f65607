import { type Consumer, type Log, partitionKey } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { CommittedReader } from '../state/committed-reader.ts'
import type { KeyValueStore } from '../state/store.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import { type GlobalTableListeners, GlobalTables } from '../task/global-tables.ts'
import { OffsetWaits } from './offset-waits.ts'
import type { TopicPlan } from './topic-plan.ts'

const POLL_MS = 100

/** What global tables are read with. */
export interface GlobalTablesOptions {
  readonly topology: Topology
  readonly plan: TopicPlan
  readonly policies: ErrorPolicies
  readonly listeners: GlobalTableListeners
}

/**
 * Reads the topics of an application's global tables, all partitions, with a consumer of its own: to their ends before anything is processed, and
 * from then on as they grow. When that fails, the next look-up in a table does.
 */
export class GlobalTablesFeed {
  readonly #tables: GlobalTables
  readonly #consumer: Consumer
  #following: Promise<void> = Promise.resolve()
  #closed = false
  #failure: { readonly error: unknown } | undefined
  /** What the tables have taken over, each partition to before an offset. */
  readonly #taken = new Map<string, number>()
  readonly #waits = new OffsetWaits()

  private constructor(tables: GlobalTables, consumer: Consumer) {
    this.#tables = tables
    this.#consumer = consumer
  }

  /** Resolves when the tables have what was committed to their topics before the call; undefined for a topology without any. */
  static async open(log: Log, options: GlobalTablesOptions): Promise<GlobalTablesFeed | undefined> {
    const { topology, plan } = options
    if (topology.globalTables.length === 0) return undefined
    const tables = await GlobalTables.open(topology, options.policies, options.listeners)
    const consumer = log.consumer({ isolation: 'read_committed' })
    const feed = new GlobalTablesFeed(tables, consumer)
    const partitions = tables.topics.flatMap((topic) =>
      Array.from({ length: plan.partitions.get(topic) ?? 0 }, (_, partition) => ({ topic, partition }))
    )
    try {
      const starts = await consumer.beginningOffsets(partitions)
      for (const [partition, start] of starts) feed.#taken.set(partition, start)
      const ends = await consumer.endOffsets(partitions, 'read_committed')
      consumer.assign(partitions)
      for (const at of partitions) consumer.seek(at, starts.get(partitionKey(at.topic, at.partition)) ?? 0)
      await feed.#readTo(ends)
    } catch (error) {
      await feed.close()
      throw error
    }
    feed.#following = feed.#follow()
    return feed
  }

  /** Rows as processors read them. */
  rows(store: string): Pick<KeyValueStore<unknown, unknown>, 'get'> {
    const rows = this.#tables.rows(store)
    return {
      get: (key) => {
        if (this.#failure) throw this.#failure.error
        return rows.get(key)
      }
    }
  }

  /** Rows as queries read them. */
  committed({ name }: StoreDefinition): CommittedReader {
    return this.#tables.committed(name)
  }

  /** Resolves when all before these ends, by `topic-partition`, is taken over. @throws what stopped the feed, or stops it before that. */
  reached(ends: ReadonlyMap<string, number>): Promise<void> {
    const reached = this.#waits.until(ends)
    this.#waits.readTo(this.#taken)
    return reached
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#following
    await this.#consumer.close()
    await this.#tables.close()
  }

  async #readTo(ends: ReadonlyMap<string, number>): Promise<void> {
    while ([...ends].some(([partition, end]) => (this.#taken.get(partition) ?? 0) < end)) await this.#takeOver()
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#closed) {
        await this.#takeOver()
        this.#waits.readTo(this.#taken)
      }
    } catch (error) {
      this.#failure = { error }
      this.#waits.end(error)
    }
  }

  async #takeOver(): Promise<void> {
    for (const fetched of await this.#consumer.poll(POLL_MS)) {
      await this.#tables.offer(fetched)
      this.#taken.set(partitionKey(fetched.topic, fetched.partition), fetched.nextOffset)
    }
  }
}
