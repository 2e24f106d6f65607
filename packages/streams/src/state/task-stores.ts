import { UsageError } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import { CheckedEngine } from './checked-engine.ts'
import type { WindowEntry } from './closing-windows.ts'
import type { CommittedReader } from './committed-reader.ts'
import type { ChangeTaker, StateEngine } from './engine.ts'
import { indexName, inEngine, isIndexName, withIndex } from './index-stores.ts'
import { MemoryEngine } from './memory-engine.ts'
import type { BufferStore, IndexedWindowStore, KeyValueStore, SessionStore, WindowStore } from './store.ts'
import type { StoreIdentity } from './store-meta.ts'
import { timeStateChange, timeStateKey } from './store-meta.ts'
import { loadStoreMetas } from './stored-metas.ts'
import { type ChangelogPosition, type ChangeVisitor, type RestoredRecord, TaskStore } from './task-store.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** How a task's stores are opened. */
export interface TaskStoresOptions {
  readonly definitions: readonly StoreDefinition[]
  /** Closed with the stores; whoever opens them closes it when that fails. */
  readonly engine: StateEngine
  /** Entries of each store that stay decoded in memory beside those that changed (default 100,000). */
  readonly cacheEntries?: number
}

/** What belongs to one commit beside the changes. */
export interface StateCommit {
  /** By store; a store that is missing wrote nothing and stays where it was. */
  readonly changelogOffsets: ReadonlyMap<string, ChangelogPosition>
  /** The task's time state; kept as it is. */
  readonly time: Buffer
  readonly nowMs: number
}

/**
 * All stores of one task over one engine. Reads see the write buffer, then decoded entries, then the engine; `apply` makes the changes and
 * the changelog's offsets durable together, and until then `discard` forgets them. One task uses it, one call after the other; committed
 * reads may come at any time.
 */
export class TaskStores {
  readonly #engine: CheckedEngine
  /** Of stores that are in memory whatever the others are in. */
  readonly #memory: CheckedEngine
  readonly #anyInMemory: boolean
  readonly #stores: ReadonlyMap<string, TaskStore>
  readonly #all: readonly TaskStore[]
  readonly #buffers: readonly WriteBuffer[]
  #time: Buffer | undefined

  private constructor({ engine, memory }: Engines, stores: ReadonlyMap<string, TaskStore>, time: Buffer | undefined) {
    this.#engine = engine
    this.#memory = memory
    this.#stores = stores
    this.#all = [...stores.values()]
    this.#anyInMemory = this.#all.some(({ context }) => context.engine === memory)
    this.#buffers = this.#all.map(({ buffer }) => buffer)
    this.#time = time
  }

  /** @throws StoreDamagedError when the engine lost a commit, or one of its entries is wrong. */
  static async open(options: TaskStoresOptions): Promise<TaskStores> {
    const engines = {
      engine: await CheckedEngine.open(options.engine),
      memory: await CheckedEngine.open(new MemoryEngine())
    }
    const definitions = options.definitions.flatMap(withIndex)
    const { memory = [], engine: others = [] } = Object.groupBy(definitions, engineOf)
    const metas = new Map([
      ...(await loadStoreMetas(engines.engine, others)),
      ...(await loadStoreMetas(engines.memory, memory))
    ])
    const cacheEntries = options.cacheEntries ?? 100_000
    const stores = new Map<string, TaskStore>()
    for (const definition of definitions) {
      const loaded = metas.get(definition.name)
      if (loaded === undefined) continue
      const { meta, isNew } = loaded
      const engine = engines[engineOf(definition)]
      const context = { definition: inEngine(definition), engine, meta, isNew, committed: { ...meta }, cacheEntries }
      stores.set(definition.name, new TaskStore(context, stores.get(indexName(definition.name))))
    }
    for (const store of stores.values()) await store.load()
    return new TaskStores(engines, stores, engines.engine.get(timeStateKey))
  }

  /** @throws UsageError when there is no such store, or it is of another kind. */
  keyValue(name: string): KeyValueStore<unknown, unknown> {
    return this.#store(name).keyValue
  }

  /** @throws UsageError when there is no such store, or it is of another kind. */
  window(name: string): WindowStore<unknown, unknown> {
    return this.#store(name).window
  }

  /** @throws UsageError when there is no such store, or its windows have no index. */
  indexedWindow(name: string): IndexedWindowStore<unknown, unknown> {
    return this.#store(name).indexedWindow
  }

  /** @throws UsageError when there is no such store, or it is of another kind. */
  session(name: string): SessionStore<unknown, unknown> {
    return this.#store(name).session
  }

  /** @throws UsageError when there is no such store, or it is of another kind. */
  held(name: string): BufferStore<unknown> {
    return this.#store(name).held
  }

  /** What queries may see of a store. */
  committed(name: string): CommittedReader {
    return this.#store(name).reader
  }

  /** Approximate size of what waits for the commit. */
  get bufferedBytes(): number {
    let sum = 0
    for (const buffer of this.#buffers) sum += buffer.sizeBytes
    return sum
  }

  /** From here on changes can be taken back, until the next mark or the commit. */
  mark(): void {
    for (const buffer of this.#buffers) buffer.mark()
  }

  /** Takes back all changes since the mark. */
  rollback(): void {
    for (const buffer of this.#buffers) buffer.rollback()
  }

  /** One visit per key that changed since the last commit, store by store, in the order of first change: the changelog's records. */
  changes(visit: ChangeVisitor): void {
    for (const store of this.#all) if (!isIndexName(store.name)) store.visitChanges(visit)
  }

  /**
   * Writes changes, offsets and time in one atomic, synced batch. When it fails nothing may be used but `discard` and `close`: whether it
   * is on the disk is not known.
   */
  async apply(commit: StateCommit): Promise<void> {
    for (const store of this.#all) store.prepareCommit()
    await this.#engine.write((take) => this.#tellChanges(commit, take))
    // What is in memory follows what is on the disk: when that fails, it stays behind with it.
    if (this.#anyInMemory) await this.#memory.write((take) => this.#tellStores(commit, this.#memory, take))
    this.#time = Buffer.from(commit.time)
    for (const store of this.#all) store.committed()
  }

  /** Forgets what is not committed, and all that is decoded. */
  async discard(): Promise<void> {
    for (const store of this.#all) store.discard()
    for (const store of this.#all) await store.load()
  }

  /** Writes records of the changelog, up to `position`, in one batch. Doing it again changes nothing. */
  async restore(store: string, records: Iterable<RestoredRecord>, position: ChangelogPosition): Promise<void> {
    await this.#store(store).restore(records, position)
  }

  /** Undefined until the store was restored or committed for the first time. */
  identity(store: string): StoreIdentity | undefined {
    return this.#store(store).identity
  }

  /** Says to which changelog the store belongs; another one than before makes its position unknown. Durable with the next batch. */
  setIdentity(store: string, identity: Pick<StoreIdentity, 'clusterId' | 'topicId'>): void {
    this.#store(store).belongTo(identity)
  }

  /** Of the last commit. */
  timeState(): Buffer | undefined {
    return this.#time
  }

  /** Windows that start earlier are absent from now on; the commit removes them from memory, and their space on disk follows. */
  expire(store: string, beforeWindowStartMs: number): void {
    this.#store(store).expire(beforeWindowStartMs)
  }

  /** Windows that start in `[fromMs, toMs)`, changes included, expired ones too if they are still there; by start, then the key's bytes. */
  windowsClosing(store: string, fromMs: number, toMs: number): AsyncGenerator<readonly WindowEntry[]> {
    return this.#store(store).windowsClosing(fromMs, toMs)
  }

  /** Keys of a buffer that are held back from before `toMs`, changes included; by place, then the key's bytes. */
  heldBefore(buffer: string, toMs: number): AsyncGenerator<readonly WindowEntry[]> {
    return this.#store(indexName(buffer)).windowsClosing(0, toMs)
  }

  /** Keys of a store with a time to live whose rows are from before `toMs`, changes included; by timestamp, then the key's bytes. */
  rowsBefore(store: string, toMs: number): AsyncGenerator<readonly WindowEntry[]> {
    return this.heldBefore(store, toMs)
  }

  /**
   * Reads every entry on the disk.
   * @returns how many there are.
   * @throws StoreDamagedError at the first wrong one.
   */
  verify(): Promise<number> {
    return this.#engine.verify()
  }

  /** Resolves when no space of expired windows is being given back. */
  async spaceReturned(): Promise<void> {
    for (const store of this.#all) await store.spaceReturned()
  }

  /** What is not committed is gone. */
  async close(): Promise<void> {
    await this.spaceReturned()
    await this.#engine.close()
    await this.#memory.close()
  }

  #tellChanges(commit: StateCommit, take: ChangeTaker): void {
    const { key, value } = timeStateChange(commit.time)
    take(key, value)
    this.#tellStores(commit, this.#engine, take)
  }

  #tellStores({ changelogOffsets, nowMs }: StateCommit, engine: CheckedEngine, take: ChangeTaker): void {
    for (const store of this.#all) {
      if (store.context.engine !== engine) continue
      store.tellChanges({ position: changelogOffsets.get(store.name), nowMs }, take)
    }
  }

  #store(name: string): TaskStore {
    const store = this.#stores.get(name)
    if (store === undefined)
      throw new UsageError(`the task has no store ${name}: it has ${[...this.#stores.keys()].join(', ')}`)
    return store
  }
}

/** The engines of a task's stores. */
interface Engines {
  readonly engine: CheckedEngine
  readonly memory: CheckedEngine
}

function engineOf({ engine }: StoreDefinition): keyof Engines {
  return engine ?? 'engine'
}
