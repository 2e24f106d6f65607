import { UsageError } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import { BufferTable } from './buffer-table.ts'
import { closingWindows, type WindowEntry } from './closing-windows.ts'
import { CommittedReader } from './committed-reader.ts'
import { type ChangeTaker, changesOf, type StateChange } from './engine.ts'
import { EntryBytes } from './entry-bytes.ts'
import { ExpiredSpace } from './expired-space.ts'
import { ExpiringTable } from './expiring-table.ts'
import { IndexRestore } from './index-restore.ts'
import { IndexedWindowTable } from './indexed-window-table.ts'
import { KeyValueTable } from './key-value-table.ts'
import { engineKeyOfChangelog, engineValue, isTimeFirst, windowStartOf } from './layout.ts'
import { SessionTable } from './session-table.ts'
import type { KeyValueStore } from './store.ts'
import type { StoreContext } from './store-context.ts'
import type { StoreEntry } from './store-entry.ts'
import { noChangelog, type StoreIdentity, type StoreMeta, storeMetaChange } from './store-meta.ts'
import { completeTimeIndex, hasTimeIndex, TimeIndexRestore } from './time-index.ts'
import {
  committedIndex,
  completeWindowIndex,
  type IndexedWindows,
  isUnindexed,
  loadUnindexed
} from './unindexed-windows.ts'
import { bucketOf } from './window-bucket.ts'
import { WindowIndex } from './window-index.ts'
import { WindowTable, type WindowTableOptions } from './window-table.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** Where a store stands in its changelog: the next offset to read, and the epoch of the last record read (-1: unknown). */
export interface ChangelogPosition {
  readonly offset: number
  readonly leaderEpoch: number
  /** When that was so; a restore says it, for the age of the store. */
  readonly nowMs?: number
}

/**
 * Gets one changed key: its bytes as on the changelog, the value's bytes or null, and the value's time. The buffers are valid until it returns: who
 * keeps the bytes copies them.
 */
export type ChangeVisitor = (store: StoreDefinition, key: Buffer, value: Buffer | null, timestamp: number) => void

/** A record of a changelog. Its buffers are copied. */
export interface RestoredRecord {
  readonly key: Buffer
  readonly value: Buffer | null
  readonly timestamp: number
}

/** One store of a task: its table in memory, its meta, and how both become bytes in the engine and on the changelog. */
export class TaskStore {
  readonly context: StoreContext
  readonly #table: KeyValueTable | WindowTable
  readonly #bytes: EntryBytes
  readonly #index: TaskStore | undefined
  readonly #space: ExpiredSpace

  /** @param index The store of its index, if it has one. */
  constructor(context: StoreContext, index?: TaskStore) {
    this.context = context
    this.#index = index
    this.#space = new ExpiredSpace(context)
    this.#bytes = new EntryBytes(context.definition)
    this.#table = isTimeFirst(context.definition.kind)
      ? new WindowTable(context, windowsOf(context.definition, index))
      : new KeyValueTable(context)
  }

  get name(): string {
    return this.context.definition.name
  }

  get buffer(): WriteBuffer {
    return this.#table.buffer
  }

  get keyValue(): KeyValueStore<unknown, unknown> {
    if (this.context.definition.kind !== 'key-value' || !(this.#table instanceof KeyValueTable))
      throw this.#ofAnotherKind()
    return this.#index === undefined ? this.#table : new ExpiringTable(this.#table, this.#index.window)
  }

  get window(): WindowTable {
    if (this.context.definition.kind === 'window' && this.#table instanceof WindowTable) return this.#table
    throw this.#ofAnotherKind()
  }

  get indexedWindow(): IndexedWindowTable {
    if (this.#index === undefined) throw this.#ofAnotherKind()
    return new IndexedWindowTable(this.window)
  }

  get session(): SessionTable {
    if (this.context.definition.kind === 'session' && this.#table instanceof WindowTable && this.#index) {
      return new SessionTable(this.#table)
    }
    throw this.#ofAnotherKind()
  }

  /** What queries may see. */
  get reader(): CommittedReader {
    const windows = this.#indexedWindows
    return new CommittedReader(this.context, windows && committedIndex(windows))
  }

  get held(): BufferTable {
    if (this.context.definition.kind === 'buffer' && this.#table instanceof KeyValueTable && this.#index) {
      return new BufferTable(this.#table, this.#index.window)
    }
    throw this.#ofAnotherKind()
  }

  get identity(): StoreIdentity | undefined {
    const { clusterId, topicId, offset, leaderEpoch, committedAtMs } = this.context.meta
    return offset < 0 && topicId !== noChangelog
      ? undefined
      : { clusterId, topicId, offset, leaderEpoch, committedAtMs }
  }

  belongTo({ clusterId, topicId }: Pick<StoreIdentity, 'clusterId' | 'topicId'>): void {
    for (const meta of [this.context.meta, this.context.committed]) {
      if (meta.clusterId === clusterId && meta.topicId === topicId) continue
      Object.assign(meta, { clusterId, topicId, offset: -1, leaderEpoch: -1 })
    }
  }

  expire(beforeWindowStartMs: number): void {
    const { meta } = this.context
    meta.expiredBeforeMs = Math.max(meta.expiredBeforeMs, beforeWindowStartMs)
    const { indexBucketMs } = this.context.definition
    if (indexBucketMs !== undefined) this.#index?.expire(bucketOf(beforeWindowStartMs, indexBucketMs))
    if (this.#table instanceof WindowTable) this.#table.dropExpired()
  }

  windowsClosing(fromMs: number, toMs: number): AsyncGenerator<readonly WindowEntry[]> {
    return closingWindows(this.context, this.buffer.dirty, { fromMs, toMs })
  }

  visitChanges(visit: ChangeVisitor): void {
    if (this.#table instanceof WindowTable) this.#table.dropExpired()
    const { definition } = this.context
    for (const entry of this.buffer.dirty) {
      if (entry.vanished) continue
      const key = this.#bytes.changelogKey(entry)
      visit(definition, key, this.#bytes.changelogValue(entry), this.#timestampOf(entry))
    }
  }

  /** Comes before any store's `tellChanges`: it may change the store's index. */
  prepareCommit(): void {
    if (!(this.#table instanceof WindowTable)) return
    this.#table.dropExpired()
    this.#table.updateIndex()
  }

  /** The store's part of a commit's batch. */
  tellChanges(
    { position, nowMs }: { readonly position: ChangelogPosition | undefined; readonly nowMs: number },
    take: ChangeTaker
  ): void {
    const { meta } = this.context
    for (const entry of this.buffer.dirty) {
      if (entry.vanished) continue
      const key = this.#bytes.engineKey(meta.prefix, entry)
      const value = this.#bytes.engineValue(entry)
      take(key, value)
      this.#space.written(key, value)
      if (entry.windowStartMs > meta.maxWindowStartMs) meta.maxWindowStartMs = entry.windowStartMs
    }
    this.#moveTo(position, nowMs)
    const { key, value } = storeMetaChange(this.name, meta)
    take(key, value)
  }

  /** The batch is on the disk. */
  committed(): void {
    this.context.committed = { ...this.context.meta }
    this.#table.committed()
    this.#space.release()
  }

  discard(): void {
    this.#table.drop()
    this.context.meta = { ...this.context.committed }
  }

  /** Before anything is read of the store: its index is completed, or where there is none all its windows are taken into memory. */
  async load(): Promise<void> {
    if (this.#index && this.context.definition.ttlMs !== undefined)
      await completeTimeIndex(this.#index.context, this.context)
    const windows = this.#indexedWindows
    if (windows !== undefined) await loadUnindexed(windows)
  }

  async restore(records: Iterable<RestoredRecord>, position: ChangelogPosition): Promise<void> {
    const windows = this.#indexedWindows
    if (windows !== undefined && isUnindexed(windows)) await completeWindowIndex(windows)
    this.#table.drop()
    const { definition, engine } = this.context
    const meta: StoreMeta = { ...this.context.committed }
    const batch: StateChange[] = []
    const index = this.#beginIndexRestore()
    for (const { key, value, timestamp } of records) {
      const engineKey = engineKeyOfChangelog(definition.kind, meta.prefix, key)
      if (engineKey === undefined) continue
      if (isTimeFirst(definition.kind)) {
        const startMs = windowStartOf(engineKey)
        if (startMs < meta.expiredBeforeMs) continue
        if (startMs > meta.maxWindowStartMs) meta.maxWindowStartMs = startMs
      }
      index?.restore.note(engineKey, value, timestamp)
      batch.push({ key: engineKey, value: value === null ? null : engineValue(timestamp, value) })
    }
    this.context.meta = meta
    this.#moveTo(position, position.nowMs)
    await engine.write(changesOf([...batch, storeMetaChange(this.name, meta), ...(index?.finish() ?? [])]))
    this.context.committed = { ...meta }
  }

  /** Resolves when nothing of the store is being removed. */
  spaceReturned(): Promise<void> {
    return this.#space.released()
  }

  /** Undefined where there are no windows, or no index of them. */
  get #indexedWindows(): IndexedWindows | undefined {
    const [table, index] = [this.#table, this.#index?.context]
    if (index === undefined || !(table instanceof WindowTable)) return undefined
    return { table, windows: this.context, index }
  }

  #beginIndexRestore(): IndexRestoreRun | undefined {
    const index = this.#index
    if (index === undefined) return undefined
    index.#table.drop()
    const { context: windows } = this
    const restore = hasTimeIndex(windows.definition)
      ? new TimeIndexRestore(index.context, windows)
      : new IndexRestore(index.context, windows.definition)
    return {
      restore,
      finish: () => {
        const { changes, newestMs } = restore.finish()
        const { context } = index
        context.committed.committedAtMs = windows.meta.committedAtMs
        context.committed.maxWindowStartMs = Math.max(context.committed.maxWindowStartMs, newestMs)
        context.meta = { ...context.committed }
        return [...changes, storeMetaChange(index.name, context.meta)]
      }
    }
  }

  #ofAnotherKind(): UsageError {
    return new UsageError(`store ${this.name} is a ${this.context.definition.kind} store: ask for it as that`)
  }

  #moveTo(position: ChangelogPosition | undefined, nowMs: number | undefined): void {
    const { meta } = this.context
    if (position !== undefined) {
      meta.offset = position.offset
      meta.leaderEpoch = position.leaderEpoch
    }
    if (nowMs !== undefined) meta.committedAtMs = nowMs
  }

  /** A tombstone carries the time of the deletion. */
  #timestampOf(entry: StoreEntry): number {
    return entry.current?.timestamp ?? entry.deletedAtMs
  }
}

interface IndexRestoreRun {
  readonly restore: Pick<TimeIndexRestore, 'note' | 'finish'>
  /** The index's part of the batch. */
  finish(): readonly StateChange[]
}

function windowsOf({ kind, indexBucketMs }: StoreDefinition, index: TaskStore | undefined): WindowTableOptions {
  if (index === undefined || indexBucketMs === undefined) return {}
  const found = new WindowIndex(index.window, indexBucketMs)
  return kind === 'session' ? { keys: index.context.definition.key, index: found } : { index: found }
}
