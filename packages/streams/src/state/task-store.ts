import { UsageError } from '@millrace/log'
import type { StoreDefinition } from '../graph/node.ts'
import { closingWindows, type WindowEntry } from './closing-windows.ts'
import type { StateChange } from './engine.ts'
import { KeyValueTable } from './key-value-table.ts'
import {
  changelogWindowKey,
  engineKeyOfChangelog,
  engineValue,
  keyValueKey,
  windowKey,
  windowRange,
  windowStartOf
} from './layout.ts'
import type { StoreContext } from './store-context.ts'
import type { StoreEntry } from './store-entry.ts'
import { type StoreIdentity, type StoreMeta, storeMetaChange } from './store-meta.ts'
import { WindowTable } from './window-table.ts'
import type { WriteBuffer } from './write-buffer.ts'

/** Where a store stands in its changelog: the next offset to read, and the epoch of the last record read (-1: unknown). */
export interface ChangelogPosition {
  readonly offset: number
  readonly leaderEpoch: number
  /** When that was so; a restore says it, for the age of the store. */
  readonly nowMs?: number
}

/** Gets one changed key: its bytes as on the changelog, the value's bytes or null, and the value's time. */
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
  /** Windows below are gone from the disk. */
  #clearedBeforeMs = 0
  #clearing: Promise<void> | undefined

  constructor(context: StoreContext) {
    this.context = context
    this.#table = context.definition.kind === 'window' ? new WindowTable(context) : new KeyValueTable(context)
  }

  get name(): string {
    return this.context.definition.name
  }

  get buffer(): WriteBuffer {
    return this.#table.buffer
  }

  get keyValue(): KeyValueTable {
    if (this.#table instanceof KeyValueTable) return this.#table
    throw new UsageError(`store ${this.name} is a window store: ask for it with window()`)
  }

  get window(): WindowTable {
    if (this.#table instanceof WindowTable) return this.#table
    throw new UsageError(`store ${this.name} is a key-value store: ask for it with keyValue()`)
  }

  get identity(): StoreIdentity | undefined {
    const { clusterId, topicId, offset, leaderEpoch, committedAtMs } = this.context.meta
    return offset < 0 ? undefined : { clusterId, topicId, offset, leaderEpoch, committedAtMs }
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
  }

  windowsClosing(fromMs: number, toMs: number): AsyncGenerator<readonly WindowEntry[]> {
    return closingWindows(this.context, this.buffer.dirty, { fromMs, toMs })
  }

  visitChanges(visit: ChangeVisitor): void {
    if (this.#table instanceof WindowTable) this.#table.dropExpired()
    const { definition } = this.context
    for (const entry of this.buffer.dirty) {
      const keyBytes = entry.encodedKey(definition.key)
      const key = definition.kind === 'window' ? changelogWindowKey(entry.windowStartMs, keyBytes) : keyBytes
      visit(definition, key, entry.encodedValue(definition.value), this.#timestampOf(entry))
    }
  }

  /** Adds the store's part of a commit's batch. */
  collectCommit(batch: StateChange[], position: ChangelogPosition | undefined, nowMs: number): void {
    if (this.#table instanceof WindowTable) this.#table.dropExpired()
    const { definition, meta } = this.context
    const isWindow = definition.kind === 'window'
    for (const entry of this.buffer.dirty) {
      const keyBytes = entry.encodedKey(definition.key)
      const value = entry.encodedValue(definition.value)
      batch.push({
        key: isWindow ? windowKey(meta.prefix, entry.windowStartMs, keyBytes) : keyValueKey(meta.prefix, keyBytes),
        value: value === null ? null : engineValue(this.#timestampOf(entry), value)
      })
      if (entry.windowStartMs > meta.maxWindowStartMs) meta.maxWindowStartMs = entry.windowStartMs
    }
    this.#moveTo(position, nowMs)
    batch.push(storeMetaChange(this.name, meta))
  }

  /** The batch is on the disk. */
  committed(): void {
    this.context.committed = { ...this.context.meta }
    this.buffer.committed()
    this.#table.evict()
    this.#returnSpace()
  }

  discard(): void {
    this.#table.drop()
    this.context.meta = { ...this.context.committed }
  }

  async restore(records: Iterable<RestoredRecord>, position: ChangelogPosition): Promise<void> {
    this.#table.drop()
    const { definition, engine } = this.context
    const meta: StoreMeta = { ...this.context.committed }
    const batch: StateChange[] = []
    for (const { key, value, timestamp } of records) {
      const engineKey = engineKeyOfChangelog(definition, meta.prefix, key)
      if (engineKey === undefined) continue
      if (definition.kind === 'window') {
        const startMs = windowStartOf(engineKey)
        if (startMs < meta.expiredBeforeMs) continue
        if (startMs > meta.maxWindowStartMs) meta.maxWindowStartMs = startMs
      }
      batch.push({ key: engineKey, value: value === null ? null : engineValue(timestamp, value) })
    }
    this.context.meta = meta
    this.#moveTo(position, position.nowMs)
    await engine.write([...batch, storeMetaChange(this.name, meta)])
    this.context.committed = { ...meta }
  }

  /** Resolves when nothing of the store is being removed. */
  async spaceReturned(): Promise<void> {
    await this.#clearing
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

  /** Removes expired windows from the disk, a quarter of the retention at a time, while the task goes on. */
  #returnSpace(): void {
    const { definition, committed, engine } = this.context
    const stepMs = Math.max(1, (definition.retentionMs ?? 0) / 4)
    const beforeMs = committed.expiredBeforeMs
    if (this.#clearing !== undefined || beforeMs < this.#clearedBeforeMs + stepMs) return
    this.#clearedBeforeMs = beforeMs
    const done = () => {
      this.#clearing = undefined
    }
    // A failure only keeps the space: the next write meets what caused it, and the next start clears again.
    this.#clearing = engine.clear(windowRange(committed.prefix, 0, beforeMs)).then(done, done)
  }
}
