import type { Consumer, Log } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { CommittedReader } from '../state/committed-reader.ts'
import type { KeyValueStore } from '../state/store.ts'
import type { ErrorPolicies } from '../task/error-policy.ts'
import { type GlobalTableListeners, GlobalTables } from '../task/global-tables.ts'
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
      const ends = await consumer.endOffsets(partitions, 'read_committed')
      consumer.assign(partitions)
      for (const at of partitions) consumer.seek(at, starts.get(`${at.topic}-${at.partition}`) ?? 0)
      await feed.#readTo(starts, ends)
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

  async close(): Promise<void> {
    this.#closed = true
    await this.#following
    await this.#consumer.close()
    await this.#tables.close()
  }

  async #readTo(starts: ReadonlyMap<string, number>, ends: ReadonlyMap<string, number>): Promise<void> {
    const behind = new Map([...ends].filter(([partition, end]) => end > (starts.get(partition) ?? 0)))
    while (behind.size > 0) {
      for (const fetched of await this.#consumer.poll(POLL_MS)) {
        await this.#tables.offer(fetched)
        const partition = `${fetched.topic}-${fetched.partition}`
        if (fetched.nextOffset >= (behind.get(partition) ?? 0)) behind.delete(partition)
      }
    }
  }

  async #follow(): Promise<void> {
    try {
      while (!this.#closed) for (const fetched of await this.#consumer.poll(POLL_MS)) await this.#tables.offer(fetched)
    } catch (error) {
      this.#failure = { error }
    }
  }
}
