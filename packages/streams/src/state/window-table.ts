import type { Serde } from '../serde/serde.ts'
import { EntryBytes } from './entry-bytes.ts'
import { type KeyWindows, WindowsInMemory } from './key-windows.ts'
import { decodeEngineValue } from './layout.ts'
import { SessionKey } from './session-key.ts'
import type { StoreCell, Timestamped, WindowStore } from './store.ts'
import type { StoreContext } from './store-context.ts'
import { evictionMark, StoreEntry } from './store-entry.ts'
import type { WindowIndex, WindowPlace } from './window-index.ts'
import { WriteBuffer } from './write-buffer.ts'

/** Expired windows leave memory when there is this part of the retention of them, and more of them than keys. */
const sweptParts = 8

/** How a window table's windows are told apart and found. */
export interface WindowTableOptions {
  /** Of the keys that windows are found by: of a session store its sessions' own. Default: the store's. */
  readonly keys?: Serde<unknown>
  /**
   * Finds the windows of a key that are not in memory. Empty as long as all are there; then it knows what is committed, and `updateIndex`
   * brings it up to date.
   */
  readonly index?: WindowIndex | undefined
}

/**
 * A window store of a task: write buffer and decoded cache, by key and then by window start (and, where windows are sessions, which lie at their
 * ends, by the session's start), over the engine. What is newer than the oldest window that may be missing from memory is answered from memory alone.
 */
export class WindowTable implements WindowStore<unknown, unknown> {
  readonly buffer: WriteBuffer
  readonly #context: StoreContext
  readonly #index: WindowIndex | undefined
  readonly #windows: WindowsInMemory
  readonly #bytes: EntryBytes
  #evictAt: number
  #prunedBeforeMs = 0
  #sweptBeforeMs = 0

  constructor(context: StoreContext, options: WindowTableOptions = {}) {
    const { definition, cacheEntries } = context
    this.#context = context
    this.#index = options.index
    this.#windows = new WindowsInMemory(options.keys ?? definition.key)
    this.#bytes = new EntryBytes(definition)
    this.buffer = new WriteBuffer(definition.value)
    this.#evictAt = evictionMark(cacheEntries)
  }

  get name(): string {
    return this.#context.definition.name
  }

  /** The latest window start that was ever written, -1 before. */
  get newestStartMs(): number {
    return Math.max(this.#context.meta.maxWindowStartMs, this.buffer.newestStartMs)
  }

  /** @param sessionStartMs Session stores only. */
  get(key: unknown, windowStartMs: number, sessionStartMs?: number): Timestamped<unknown> | undefined {
    if (windowStartMs < this.#context.meta.expiredBeforeMs) return undefined
    this.#makeRoom()
    return this.#entry(key, windowStartMs, sessionStartMs)?.current
  }

  /** A write to an expired window is dropped. */
  put(key: unknown, windowStartMs: number, value: unknown, timestamp: number): StoreCell {
    return this.write(key, { atMs: windowStartMs }, value, timestamp)
  }

  /**
   * As `put`, of windows and sessions.
   * @param place Of a session its end, and its start.
   */
  write(
    key: unknown,
    { atMs, startMs }: { readonly atMs: number; readonly startMs?: number },
    value: unknown,
    timestamp: number
  ): StoreCell {
    if (atMs < this.#context.meta.expiredBeforeMs) return detached(storeKey(key, startMs), atMs, value, timestamp)
    this.#makeRoom()
    const entry = this.#entry(key, atMs, startMs) ?? this.#add(key, atMs, { startMs, current: undefined })
    this.buffer.set(entry, value, timestamp)
    return entry
  }

  /** The cell of a key and window, for {@link changed}; undefined where it is expired. */
  cell(key: unknown, windowStartMs: number): StoreEntry | undefined {
    if (windowStartMs < this.#context.meta.expiredBeforeMs) return undefined
    this.#makeRoom()
    return (
      this.#entry(key, windowStartMs, undefined) ??
      this.#add(key, windowStartMs, { startMs: undefined, current: undefined })
    )
  }

  /** What is in a cell was changed in place. */
  changed(cell: StoreEntry): void {
    const { current } = cell
    if (cell.dirty || current === undefined) cell.forgetEncodedValue()
    else this.buffer.set(cell, current.value, current.timestamp)
  }

  /**
   * Moves a session that is not committed.
   * @returns undefined when it must be deleted and put instead: then nothing happened.
   */
  move(key: unknown, cell: StoreCell, { atMs, startMs }: WindowPlace, value: unknown): StoreCell | undefined {
    const isNew = cell instanceof StoreEntry && cell.dirty && cell.wasAbsent
    if (!isNew || this.buffer.undoable || atMs < this.#context.meta.expiredBeforeMs) return undefined
    // A session grows at its end more often than not: then its key is what it was.
    const ownKey = startMs === cell.sessionStartMs ? cell.key : storeKey(key, startMs)
    const place = { key: ownKey, windowStartMs: atMs, sessionStartMs: startMs }
    if (!this.#windows.of(key)?.move(cell, place)) return undefined
    this.buffer.set(cell, value, atMs)
    return cell
  }

  /** The windows of a key that are there and start (sessions: end) from `fromMs` to `toMs`, both included, in order. Needs an index. */
  between(key: unknown, fromMs: number, toMs: number): StoreEntry[] {
    const leastMs = Math.max(fromMs, this.#context.meta.expiredBeforeMs)
    this.#makeRoom()
    const row = this.#windows.of(key)
    const completeFromMs = row?.completeFromMs ?? this.#completeFromMs
    const complete = leastMs < completeFromMs ? this.#fill(key, leastMs, completeFromMs) : row
    return complete === undefined ? [] : complete.between(leastMs, toMs)
  }

  /** Brings the index up to the changes, or begins it, when memory holds all windows and is to hold fewer. Part of a commit. */
  updateIndex(): void {
    const index = this.#index
    if (index === undefined) return
    if (!index.isKept) {
      if (this.#outgrown)
        for (const entry of this.#windows.entries()) if (entry.current !== undefined) place(index, entry)
      return
    }
    for (const entry of this.buffer.dirty) if ((entry.current === undefined) !== entry.wasAbsent) place(index, entry)
  }

  /** The committed windows are all taken into memory from here on, one by one, when there is no index to find them by. */
  beginLoad(): void {
    this.drop()
    this.#windows.completeFromMs = 0
  }

  /**
   * Takes a committed window into memory.
   * @returns whether there is room for more of them.
   */
  load(key: unknown, windowStartMs: number, current: Timestamped<unknown>): boolean {
    const [ownKey, startMs] = key instanceof SessionKey ? [key.key, key.startMs] : [key, undefined]
    this.#add(ownKey, windowStartMs, { startMs, current })
    return !this.#outgrown
  }

  /** Where a key's windows are or were committed, from one time to another, both included: for who knows that memory holds all. */
  placesInMemory(key: unknown, fromMs: number, toMs: number): WindowPlace[] {
    const entries = this.#windows.of(key)?.entries ?? []
    return entries
      .filter(({ windowStartMs }) => windowStartMs >= fromMs && windowStartMs <= toMs)
      .map(({ windowStartMs, sessionStartMs = 0 }) => ({ atMs: windowStartMs, startMs: sessionStartMs }))
  }

  /** Forgets the changes of expired windows at once, and what else is in memory of them in time. */
  dropExpired(): void {
    const { definition, meta } = this.#context
    const { expiredBeforeMs } = meta
    if (expiredBeforeMs > this.#prunedBeforeMs) {
      this.buffer.prune(({ windowStartMs }) => windowStartMs < expiredBeforeMs)
      this.#prunedBeforeMs = expiredBeforeMs
    }
    if (!this.#windows.grown || expiredBeforeMs < this.#sweptBeforeMs + (definition.retentionMs ?? 0) / sweptParts)
      return
    this.#windows.dropBefore(expiredBeforeMs)
    this.#sweptBeforeMs = expiredBeforeMs
  }

  /** Makes room after a commit. */
  committed(): void {
    if (this.buffer.deletes) {
      for (const entry of this.buffer.dirty) if (entry.current === undefined) this.#windows.removeAbsent(entry)
    }
    this.buffer.committed()
    this.#evictAt = evictionMark(this.#context.cacheEntries)
    if (this.#outgrown) this.#evict()
  }

  /** Forgets everything that is in memory. */
  drop(): void {
    this.#windows.clear()
    this.#prunedBeforeMs = 0
    this.#sweptBeforeMs = 0
    this.buffer.clear()
  }

  get #outgrown(): boolean {
    return this.#windows.size > this.#context.cacheEntries * 1.25
  }

  /** Memory holds all windows of all keys from here on, except as a row says otherwise. */
  get #completeFromMs(): number {
    this.#windows.completeFromMs ??= this.#context.meta.maxWindowStartMs + 1
    return this.#windows.completeFromMs
  }

  /** The entry, if it is in memory or may be in the engine. */
  #entry(key: unknown, windowStartMs: number, sessionStartMs: number | undefined): StoreEntry | undefined {
    const row = this.#windows.of(key)
    const found = row?.find(windowStartMs, sessionStartMs)
    if (found !== undefined) return found
    const { definition, engine, meta } = this.#context
    if (windowStartMs >= (row?.completeFromMs ?? this.#completeFromMs)) return undefined
    if (windowStartMs > meta.maxWindowStartMs) return undefined
    const wanted = { key: storeKey(key, sessionStartMs), windowStartMs }
    const bytes = engine.get(this.#bytes.wantedKey(meta.prefix, wanted))
    const current = bytes === undefined ? undefined : decodeEngineValue(definition, bytes)
    return this.#add(key, windowStartMs, { startMs: sessionStartMs, current })
  }

  #add(
    key: unknown,
    windowStartMs: number,
    { startMs, current }: { readonly startMs: number | undefined; readonly current: Timestamped<unknown> | undefined }
  ): StoreEntry {
    const entry = new StoreEntry(storeKey(key, startMs), windowStartMs, current)
    entry.sessionStartMs = startMs
    this.#windows.add(key, entry, this.#completeFromMs)
    return entry
  }

  /** Brings a key's windows between two times into memory. */
  #fill(key: unknown, fromMs: number, toMs: number): KeyWindows {
    const isSession = this.#context.definition.kind === 'session'
    for (const { atMs, startMs } of this.#index?.between(key, fromMs, toMs - 1) ?? []) {
      this.#entry(key, atMs, isSession ? startMs : undefined)
    }
    const row = this.#windows.of(key) ?? this.#windows.begin(key, this.#completeFromMs)
    row.completeFromMs = fromMs
    return row
  }

  /** Before anything is looked up, since what was found must not be dropped before it is used. */
  #makeRoom(): void {
    if (this.#windows.size >= this.#evictAt) this.#evict()
  }

  #evict(): void {
    // The commit begins the index: until then nothing could be found again.
    if (this.#index?.isKept === false) return
    const { cacheEntries } = this.#context
    this.#windows.completeFromMs = this.#completeFromMs
    this.#windows.evict(cacheEntries)
    // Changes can not be dropped: a sweep that found little else must not be repeated at once.
    this.#evictAt = evictionMark(Math.max(cacheEntries, this.#windows.size))
  }
}

function detached(key: unknown, windowStartMs: number, value: unknown, timestamp: number): StoreCell {
  const entry = new StoreEntry(key, windowStartMs, value === null ? undefined : { value, timestamp })
  entry.deletedAtMs = timestamp
  return entry
}

/** Into the index, or out of it. */
function place(index: WindowIndex, { key, windowStartMs, sessionStartMs, current }: StoreEntry): void {
  const ownKey = key instanceof SessionKey ? key.key : key
  if (current === undefined) index.remove(ownKey, windowStartMs, sessionStartMs)
  else index.add(ownKey, windowStartMs, sessionStartMs)
}

function storeKey(key: unknown, sessionStartMs: number | undefined): unknown {
  return sessionStartMs === undefined ? key : new SessionKey(sessionStartMs, key)
}
