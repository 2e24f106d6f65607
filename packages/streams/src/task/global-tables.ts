import type { GlobalTableDefinition } from '../graph/join-node.ts'
import type { Topology } from '../graph/topology.ts'
import { ProcessingError } from '../processor/errors.ts'
import type { CommittedReader } from '../state/committed-reader.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import type { KeyValueStore } from '../state/store.ts'
import { TaskStores } from '../state/task-stores.ts'
import type { ErrorPolicies } from './error-policy.ts'
import { DeserializationError } from './errors.ts'
import { type GlobalUpdater, programUpdater, rowUpdater } from './global-updates.ts'
import type { FetchedRecords } from './partition-queue.ts'
import type { RecoverableError } from './recovery.ts'

/** Hears of every row that changed, with its bytes as on the topic. */
export type RowChanged = (change: {
  readonly store: string
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}) => void

/** Whom global tables tell what they do. */
export interface GlobalTableListeners {
  readonly changed?: RowChanged
  /** Hears of every record that a policy let go. */
  readonly onSkipped?: (error: RecoverableError) => void
}

/**
 * The global tables of an instance: all partitions of their topics, in memory, shared by all its tasks. Whoever feeds it decides how far it is;
 * what was offered is there for the next look-up.
 */
export class GlobalTables {
  readonly #updaters: ReadonlyMap<string, GlobalUpdater>
  readonly #stores: TaskStores
  readonly #policies: ErrorPolicies
  readonly #onSkipped: GlobalTableListeners['onSkipped']

  private constructor(
    definitions: readonly GlobalTableDefinition[],
    parts: { readonly stores: TaskStores; readonly policies: ErrorPolicies; readonly listeners: GlobalTableListeners }
  ) {
    const { stores, policies, listeners } = parts
    this.#updaters = new Map(
      definitions.map((definition) => {
        const { updates } = definition
        const of = { rows: stores.keyValue(definition.store.name), changed: listeners.changed }
        return [definition.topic, updates ? programUpdater({ ...definition, updates }, of) : rowUpdater(definition, of)]
      })
    )
    this.#stores = stores
    this.#policies = policies
    this.#onSkipped = listeners.onSkipped
  }

  /** Opens the global tables of a topology, empty. */
  static async open(
    { globalTables }: Topology,
    policies: ErrorPolicies,
    listeners: GlobalTableListeners = {}
  ): Promise<GlobalTables> {
    const definitions = globalTables.map(({ store }) => store)
    const stores = await TaskStores.open({ definitions, engine: new MemoryEngine() })
    return new GlobalTables(globalTables, { stores, policies, listeners })
  }

  /** Names of the topics. */
  get topics(): readonly string[] {
    return [...this.#updaters.keys()]
  }

  /** Rows as a processor reads them. */
  rows(store: string): Pick<KeyValueStore<unknown, unknown>, 'get'> {
    return this.#stores.keyValue(store)
  }

  /** Rows as a query reads them. */
  committed(store: string): CommittedReader {
    return this.#stores.committed(store)
  }

  /**
   * Takes over fetched records. Those that cannot be read or processed are left out, without a trace, where the policy lets them go; there is no
   * transaction here that could write a dead letter.
   * @throws DeserializationError, ProcessingError where it does not.
   */
  async offer(fetched: FetchedRecords): Promise<void> {
    const { topic, partition, position } = fetched
    const updater = this.#updaters.get(topic)
    if (updater === undefined) return
    for (const batch of fetched.batches) {
      const view = batch.records()
      while (view.next()) {
        if (view.offset < position) continue
        this.#stores.mark()
        try {
          const waits = updater.update(view, { topic, partition, offset: view.offset })
          if (waits) await waits
        } catch (error) {
          this.#recover(error)
        }
      }
    }
    await this.#stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
  }

  async close(): Promise<void> {
    for (const updater of this.#updaters.values()) updater.close()
    await this.#stores.close()
  }

  #recover(error: unknown): void {
    const { deserialization, processing } = this.#policies
    if (!(error instanceof DeserializationError || error instanceof ProcessingError)) throw error
    const policy = error instanceof DeserializationError ? deserialization : processing
    if (policy === undefined || policy.kind === 'fail') throw error
    this.#stores.rollback()
    this.#onSkipped?.(error)
  }
}
