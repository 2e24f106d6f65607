import type { GlobalTableDefinition } from '../graph/join-node.ts'
import type { Topology } from '../graph/topology.ts'
import type { CommittedReader } from '../state/committed-reader.ts'
import { MemoryEngine } from '../state/memory-engine.ts'
import type { KeyValueStore } from '../state/store.ts'
import { TaskStores } from '../state/task-stores.ts'
import type { ErrorPolicies } from './error-policy.ts'
import { DeserializationError } from './errors.ts'
import type { FetchedRecords, RecordView } from './partition-queue.ts'

/** Hears of every row that changed, with its bytes as on the topic. */
export type RowChanged = (change: {
  readonly store: string
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}) => void

/**
 * The global tables of an instance: all partitions of their topics, in memory, shared by all its tasks. Whoever feeds it decides how far it is;
 * what was offered is there for the next look-up.
 */
export class GlobalTables {
  readonly #definitions: ReadonlyMap<string, GlobalTableDefinition>
  readonly #stores: TaskStores
  readonly #policies: ErrorPolicies
  readonly #changed: RowChanged | undefined

  private constructor(
    definitions: readonly GlobalTableDefinition[],
    parts: { readonly stores: TaskStores; readonly policies: ErrorPolicies; readonly changed?: RowChanged }
  ) {
    this.#changed = parts.changed
    this.#definitions = new Map(definitions.map((definition) => [definition.topic, definition]))
    this.#stores = parts.stores
    this.#policies = parts.policies
  }

  /** Opens the global tables of a topology, empty. */
  static async open({ globalTables }: Topology, policies: ErrorPolicies, changed?: RowChanged): Promise<GlobalTables> {
    const definitions = globalTables.map(({ store }) => store)
    const stores = await TaskStores.open({ definitions, engine: new MemoryEngine() })
    return new GlobalTables(globalTables, { stores, policies, ...(changed && { changed }) })
  }

  /** Names of the topics. */
  get topics(): readonly string[] {
    return [...this.#definitions.keys()]
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
   * Takes over fetched records. Null keys are left out, and so are records that cannot be read where the deserialization policy lets them go.
   * @throws DeserializationError where it does not.
   */
  async offer(fetched: FetchedRecords): Promise<void> {
    const definition = this.#definitions.get(fetched.topic)
    if (definition === undefined) return
    const { kind } = this.#policies.deserialization ?? { kind: 'fail' }
    for (const batch of fetched.batches) {
      const view = batch.records()
      while (view.next()) {
        if (view.offset < fetched.position || view.keyStart < 0) continue
        try {
          this.#put(definition, view)
        } catch (cause) {
          if (kind === 'fail') throw deserializationError(definition, fetched, { offset: view.offset, cause })
        }
      }
    }
    await this.#stores.apply({ changelogOffsets: new Map(), time: Buffer.alloc(0), nowMs: 0 })
  }

  async close(): Promise<void> {
    await this.#stores.close()
  }

  #put({ store }: GlobalTableDefinition, view: RecordView): void {
    const key = store.key.decode(view.buffer, view.keyStart, view.keyEnd)
    const value = view.valueStart < 0 ? null : store.value.decode(view.buffer, view.valueStart, view.valueEnd)
    const timestamp = Math.max(0, view.timestamp)
    this.#stores.keyValue(store.name).put(key, value, timestamp)
    this.#changed?.({
      store: store.name,
      key: Buffer.from(view.buffer.subarray(view.keyStart, view.keyEnd)),
      value: view.valueStart < 0 ? null : Buffer.from(view.buffer.subarray(view.valueStart, view.valueEnd)),
      timestamp
    })
  }
}

function deserializationError(
  { store }: GlobalTableDefinition,
  { topic, partition }: FetchedRecords,
  failed: { readonly offset: number; readonly cause: unknown }
): DeserializationError {
  const origin = { topic, partition, offset: failed.offset }
  return new DeserializationError({ node: store.name, origin, part: 'value' }, failed.cause)
}
