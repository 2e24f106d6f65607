import type { Serde } from '../serde/serde.ts'
import { SessionKey } from './session-key.ts'
import { identityOf, type KeyIdentity, type StoreEntry } from './store-entry.ts'

/** What is in memory of one key's windows: by start, and of one start by the session's start. */
export class KeyWindows {
  readonly id: KeyIdentity
  /** All of the key's windows from here on are here: one that is not is absent. */
  completeFromMs: number
  readonly #entries: StoreEntry[] = []
  /** Where the last one was found: the next one is often the same, or that behind it. */
  #at = 0

  constructor(id: KeyIdentity, completeFromMs: number) {
    this.id = id
    this.completeFromMs = completeFromMs
  }

  get entries(): readonly StoreEntry[] {
    return this.#entries
  }

  find(windowStartMs: number, sessionStartMs: number | undefined): StoreEntry | undefined {
    for (let near = 0; near < 2; near++) {
      const entry = this.#entries[this.#at + near]
      if (entry === undefined || entry.windowStartMs !== windowStartMs || entry.sessionStartMs !== sessionStartMs)
        continue
      this.#at += near
      return entry
    }
    const at = this.#place(windowStartMs, sessionStartMs)
    const entry = this.#entries[at]
    if (entry === undefined || entry.windowStartMs !== windowStartMs || entry.sessionStartMs !== sessionStartMs) {
      return undefined
    }
    this.#at = at
    return entry
  }

  add(entry: StoreEntry): void {
    const at = this.#place(entry.windowStartMs, entry.sessionStartMs)
    if (at === this.#entries.length) this.#entries.push(entry)
    else this.#entries.splice(at, 0, entry)
    this.#at = at
  }

  /** Those that are there, from one start to another, both included. */
  between(fromMs: number, toMs: number): StoreEntry[] {
    const found: StoreEntry[] = []
    const entries = this.#entries
    for (let at = this.#place(fromMs, -1); at < entries.length && entries[at].windowStartMs <= toMs; at++) {
      if (entries[at].current !== undefined) found.push(entries[at])
    }
    return found
  }

  remove(entry: StoreEntry): boolean {
    const at = this.#place(entry.windowStartMs, entry.sessionStartMs)
    if (this.#entries[at] !== entry) return false
    this.#entries.splice(at, 1)
    return true
  }

  /** @returns how many. */
  removeBefore(startMs: number): number {
    const count = this.#place(startMs, -1)
    if (count > 0) this.#entries.splice(0, count)
    return count
  }

  /** Index of the first entry that is not before a place. */
  #place(windowStartMs: number, sessionStartMs = 0): number {
    const entries = this.#entries
    let low = 0
    let high = entries.length
    // What is looked for is mostly new.
    if (high > 0 && isBefore(entries[high - 1], windowStartMs, sessionStartMs)) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(entries[middle], windowStartMs, sessionStartMs)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isIdle({ dirty, pending }: StoreEntry): boolean {
  return !dirty && !pending
}

function isBefore(entry: StoreEntry, windowStartMs: number, sessionStartMs: number): boolean {
  if (entry.windowStartMs !== windowStartMs) return entry.windowStartMs < windowStartMs
  return (entry.sessionStartMs ?? 0) < sessionStartMs
}

/** What is in memory of a window store, key by key. */
export class WindowsInMemory {
  /** Of keys that are not here: they have no windows from here on. Undefined: not known yet. */
  completeFromMs: number | undefined
  readonly #identity: (key: unknown) => KeyIdentity
  readonly #rows = new Map<KeyIdentity, KeyWindows>()
  #size = 0
  /** A record asks for its key again and again. */
  #lastKey: unknown
  #lastRow: KeyWindows | undefined

  constructor(keys: Serde<unknown>) {
    this.#identity = identityOf(keys)
  }

  /** Entries, absent ones included. */
  get size(): number {
    return this.#size
  }

  of(key: unknown): KeyWindows | undefined {
    if (this.#lastRow !== undefined && Object.is(key, this.#lastKey)) return this.#lastRow
    const row = this.#rows.get(this.#identity(key))
    this.#lastKey = key
    this.#lastRow = row
    return row
  }

  begin(key: unknown, completeFromMs: number): KeyWindows {
    const row = new KeyWindows(this.#identity(key), completeFromMs)
    this.#rows.set(row.id, row)
    this.#lastKey = key
    this.#lastRow = row
    return row
  }

  /** @param completeFromMs Of the key's row if it has none yet. */
  add(key: unknown, entry: StoreEntry, completeFromMs: number): void {
    const row = this.of(key) ?? this.begin(key, completeFromMs)
    row.add(entry)
    this.#size++
  }

  /** Forgets a deleted window where nothing else would be asked for it. */
  removeAbsent(entry: StoreEntry): void {
    const row = this.of(entry.key instanceof SessionKey ? entry.key.key : entry.key)
    if (row === undefined || entry.pending || entry.windowStartMs < row.completeFromMs || !row.remove(entry)) return
    this.#size--
  }

  /** Forgets the windows that start before. */
  dropBefore(startMs: number): void {
    for (const row of this.#rows.values()) {
      this.#size -= row.removeBefore(startMs)
      if (row.entries.length === 0) this.#rows.delete(row.id)
    }
    this.#lastRow = undefined
  }

  /** Drops clean entries above a number, those of the oldest windows first. */
  evict(cacheEntries: number): void {
    const border = this.#borderOf(this.#size - cacheEntries)
    if (border === undefined) return
    for (const row of this.#rows.values()) {
      if (this.#size <= cacheEntries) break
      const dropped = row.entries.filter((entry) => isIdle(entry) && entry.windowStartMs <= border)
      for (const entry of dropped) {
        if (this.#size <= cacheEntries) break
        row.remove(entry)
        row.completeFromMs = Math.max(row.completeFromMs, entry.windowStartMs + 1)
        this.#size--
      }
      if (row.entries.length === 0) this.#rows.delete(row.id)
    }
    this.completeFromMs = Math.max(this.completeFromMs ?? 0, border + 1)
    this.#lastRow = undefined
  }

  clear(): void {
    this.#rows.clear()
    this.#size = 0
    this.#lastRow = undefined
    this.completeFromMs = undefined
  }

  /** The latest window start among the `count` oldest clean entries. */
  #borderOf(count: number): number | undefined {
    if (count <= 0) return undefined
    const starts = new Float64Array(this.#size)
    let clean = 0
    for (const row of this.#rows.values()) {
      for (const entry of row.entries) if (isIdle(entry)) starts[clean++] = entry.windowStartMs
    }
    const sorted = starts.subarray(0, clean).sort()
    return clean === 0 ? undefined : sorted[Math.min(count, clean) - 1]
  }
}
