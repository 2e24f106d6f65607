import { decodeEngineValue, windowKey } from './layout.ts'
import type { Timestamped, WindowStore } from './store.ts'
import type { StoreContext } from './store-context.ts'
import { evictionMark, identityOf, type KeyIdentity, StoreEntry } from './store-entry.ts'
import { WriteBuffer } from './write-buffer.ts'

/** What is in memory of one window. */
interface Window {
  readonly entries: Map<KeyIdentity, StoreEntry>
  /**
   * True while all of the window is here, since it began in this life and nothing of it was evicted: a key that is not here is absent, without
   * asking the engine.
   */
  complete: boolean
}

/** A window store of a task: write buffer and decoded cache by window, then by key, over the engine. */
export class WindowTable implements WindowStore<unknown, unknown> {
  readonly buffer: WriteBuffer
  readonly #context: StoreContext
  readonly #identity: (key: unknown) => KeyIdentity
  readonly #windows = new Map<number, Window>()
  #entryCount = 0
  #evictAt: number
  /** Records of one window come in a row: the last one is found without a look-up. */
  #lastStartMs = Number.NaN
  #lastWindow: Window = { entries: new Map(), complete: false }

  constructor(context: StoreContext) {
    this.#context = context
    this.#identity = identityOf(context.definition.key)
    this.buffer = new WriteBuffer(context.definition.value)
    this.#evictAt = evictionMark(context.cacheEntries)
  }

  get name(): string {
    return this.#context.definition.name
  }

  /** The latest window start that was ever written, -1 before. */
  get newestStartMs(): number {
    return Math.max(this.#context.meta.maxWindowStartMs, this.buffer.newestStartMs)
  }

  get(key: unknown, windowStartMs: number): Timestamped<unknown> | undefined {
    if (windowStartMs < this.#context.meta.expiredBeforeMs) return undefined
    return this.#entry(key, windowStartMs).current
  }

  /** A write to an expired window is dropped. */
  put(key: unknown, windowStartMs: number, value: unknown, timestamp: number): void {
    if (windowStartMs < this.#context.meta.expiredBeforeMs) return
    this.buffer.set(this.#entry(key, windowStartMs), value, timestamp)
  }

  /** Forgets the windows that are expired, changes included. */
  dropExpired(): void {
    const { expiredBeforeMs } = this.#context.meta
    let dropped = false
    for (const [startMs, window] of this.#windows) {
      if (startMs >= expiredBeforeMs) continue
      this.#windows.delete(startMs)
      this.#entryCount -= window.entries.size
      dropped = true
    }
    if (!dropped) return
    this.#lastStartMs = Number.NaN
    this.buffer.prune(({ windowStartMs }) => windowStartMs < expiredBeforeMs)
  }

  /** Drops clean entries above the bound, the oldest windows' first. */
  evict(): void {
    const { cacheEntries } = this.#context
    const starts = [...this.#windows.keys()].sort((a, b) => a - b)
    for (const startMs of starts) {
      if (this.#entryCount <= cacheEntries) break
      const window = this.#windows.get(startMs)
      if (window !== undefined) this.#evictFrom(startMs, window)
    }
    // Changes can not be dropped: a sweep that found little else must not be repeated at once.
    this.#evictAt = evictionMark(Math.max(cacheEntries, this.#entryCount))
  }

  /** Forgets everything that is in memory. */
  drop(): void {
    this.#windows.clear()
    this.#entryCount = 0
    this.#lastStartMs = Number.NaN
    this.buffer.clear()
  }

  #entry(key: unknown, windowStartMs: number): StoreEntry {
    const window = windowStartMs === this.#lastStartMs ? this.#lastWindow : this.#window(windowStartMs)
    const id = this.#identity(key)
    return window.entries.get(id) ?? this.#add(id, this.#load(key, windowStartMs, window.complete))
  }

  #add(id: KeyIdentity, entry: StoreEntry): StoreEntry {
    // Eviction may drop the window itself when it is empty, so it comes before the window is looked up.
    if (this.#entryCount >= this.#evictAt) this.evict()
    this.#window(entry.windowStartMs).entries.set(id, entry)
    this.#entryCount++
    return entry
  }

  #window(startMs: number): Window {
    let window = this.#windows.get(startMs)
    if (window === undefined) {
      window = { entries: new Map(), complete: startMs > this.#context.meta.maxWindowStartMs }
      this.#windows.set(startMs, window)
    }
    this.#lastStartMs = startMs
    this.#lastWindow = window
    return window
  }

  #evictFrom(startMs: number, window: Window): void {
    for (const [id, entry] of window.entries) {
      if (this.#entryCount <= this.#context.cacheEntries) return
      if (entry.dirty) continue
      window.entries.delete(id)
      window.complete = false
      this.#entryCount--
    }
    if (window.entries.size === 0) this.#forget(startMs)
  }

  #forget(startMs: number): void {
    this.#windows.delete(startMs)
    if (startMs === this.#lastStartMs) this.#lastStartMs = Number.NaN
  }

  #load(key: unknown, windowStartMs: number, complete: boolean): StoreEntry {
    const { definition, engine, meta } = this.#context
    if (complete || windowStartMs > meta.maxWindowStartMs) return new StoreEntry(key, windowStartMs, undefined)
    const keyBytes = definition.key.encode(key)
    const bytes = engine.get(windowKey(meta.prefix, windowStartMs, keyBytes))
    const current = bytes === undefined ? undefined : decodeEngineValue(definition, bytes)
    const entry = new StoreEntry(key, windowStartMs, current)
    entry.keyBytes = keyBytes
    return entry
  }
}
