import { EntryBytes } from './entry-bytes.ts'
import { type KeyValueRow, keyValueRows } from './key-value-range.ts'
import { decodeEngineValue } from './layout.ts'
import { RecentEntries } from './recent-entries.ts'
import type { KeySpan, KeyValueStore, StoreCell, Timestamped } from './store.ts'
import type { StoreContext } from './store-context.ts'
import { evictionMark, identityOf, type KeyIdentity, StoreEntry } from './store-entry.ts'
import { WriteBuffer } from './write-buffer.ts'

/** A key-value store of a task: write buffer and decoded cache in one map, over the engine. */
export class KeyValueTable implements KeyValueStore<unknown, unknown> {
  readonly buffer: WriteBuffer
  readonly #context: StoreContext
  readonly #identity: (key: unknown) => KeyIdentity
  readonly #bytes: EntryBytes
  readonly #entries = new Map<KeyIdentity, StoreEntry>()
  #evictAt: number
  /** What is not in memory is not in the engine either. */
  #isComplete: boolean
  readonly #recent = new RecentEntries()

  constructor(context: StoreContext) {
    this.#context = context
    this.#identity = identityOf(context.definition.key)
    this.#bytes = new EntryBytes(context.definition)
    this.buffer = new WriteBuffer(context.definition.value)
    this.#evictAt = evictionMark(context.cacheEntries)
    this.#isComplete = context.isNew
  }

  get name(): string {
    return this.#context.definition.name
  }

  get(key: unknown): Timestamped<unknown> | undefined {
    return this.#entry(key).current
  }

  put(key: unknown, value: unknown, timestamp: number): StoreCell {
    const entry = this.#entry(key)
    this.buffer.set(entry, value, timestamp)
    return entry
  }

  putNew(key: unknown, value: unknown, timestamp: number): void {
    const id = this.#identity(key)
    let entry = this.#entries.get(id)
    if (entry === undefined) {
      entry = new StoreEntry(key, 0, undefined)
      this.#add(id, entry)
    }
    entry.brief = true
    this.buffer.set(entry, value, timestamp)
  }

  rows(span: KeySpan): AsyncGenerator<readonly KeyValueRow[]> {
    return keyValueRows(this.#context, this.buffer.dirty, span)
  }

  /** Makes room after a commit. */
  committed(): void {
    this.#recent.clear()
    for (const entry of this.buffer.dirty) {
      if (entry.brief && entry.current === undefined && !entry.pending) this.#entries.delete(this.#identity(entry.key))
    }
    this.buffer.committed()
    const { cacheEntries } = this.#context
    this.#evictAt = evictionMark(cacheEntries)
    if (this.#entries.size > cacheEntries * 1.25) this.#evict()
  }

  /** Forgets everything that is in memory. */
  drop(): void {
    this.#entries.clear()
    this.#isComplete = false
    this.#recent.clear()
    this.buffer.clear()
  }

  /** Drops clean entries above the bound, first those not used since the last sweep. */
  #evict(): void {
    this.#recent.clear()
    const { cacheEntries } = this.#context
    this.#isComplete = false
    for (let sweep = 0; sweep < 2 && this.#entries.size > cacheEntries; sweep++) {
      for (const [id, entry] of this.#entries) {
        if (this.#entries.size <= cacheEntries) break
        if (!entry.dirty && !entry.pending && !entry.used) this.#entries.delete(id)
        entry.used = false
      }
    }
    // Changes can not be dropped: a sweep that found little else must not be repeated at once.
    this.#evictAt = evictionMark(Math.max(cacheEntries, this.#entries.size))
  }

  #entry(key: unknown): StoreEntry {
    const recent = this.#recent.find(key)
    if (recent !== undefined) return recent
    const entry = this.#find(key)
    this.#recent.note(key, entry)
    return entry
  }

  #find(key: unknown): StoreEntry {
    const id = this.#identity(key)
    const found = this.#entries.get(id)
    if (found !== undefined) {
      found.used = true
      return found
    }
    const entry = this.#load(key)
    this.#add(id, entry)
    return entry
  }

  #add(id: KeyIdentity, entry: StoreEntry): void {
    if (this.#entries.size >= this.#evictAt) this.#evict()
    this.#entries.set(id, entry)
  }

  #load(key: unknown): StoreEntry {
    if (this.#isComplete) return new StoreEntry(key, 0, undefined)
    const { definition, engine, meta } = this.#context
    const bytes = engine.get(this.#bytes.wantedKey(meta.prefix, { key, windowStartMs: 0 }))
    const current = bytes === undefined ? undefined : decodeEngineValue(definition, bytes)
    return new StoreEntry(key, 0, current)
  }
}
