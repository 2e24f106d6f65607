import type { Serde } from '../serde/serde.ts'
import { SessionKey } from './session-key.ts'
import { identityOf, type KeyIdentity, type StoreEntry } from './store-entry.ts'

/** Where a session is among the windows of its key: its end, and its start. */
export interface EntryPosition {
  readonly key: unknown
  readonly windowStartMs: number
  readonly sessionStartMs: number
}

/** Enough to know which windows are old. */
const sampledEntries = 8192
/** So few windows may stay whatever their age. */
const leastAdded = 4096

/** What is in memory of one key's windows: by start, and of one start by the session's start. */
export class KeyWindows {
  readonly id: KeyIdentity
  /** All of the key's windows from here on are here: one that is not is absent. */
  completeFromMs: number
  #entries: StoreEntry[] = []
  /** The last one that was found, and where: the next one is often the same, or that behind it. */
  #last: StoreEntry | undefined
  #at = 0

  constructor(id: KeyIdentity, completeFromMs: number) {
    this.id = id
    this.completeFromMs = completeFromMs
  }

  get entries(): readonly StoreEntry[] {
    return this.#entries
  }

  find(windowStartMs: number, sessionStartMs: number | undefined): StoreEntry | undefined {
    const last = this.#last
    if (last === undefined) return this.#search(windowStartMs, sessionStartMs)
    if (isAt(last, windowStartMs, sessionStartMs)) return last
    if (this.#lastIsNewest && last.windowStartMs < windowStartMs) return undefined
    const next = this.#entries[this.#at + 1]
    if (next === undefined || !isAt(next, windowStartMs, sessionStartMs))
      return this.#search(windowStartMs, sessionStartMs)
    this.#last = next
    this.#at++
    return next
  }

  add(entry: StoreEntry): void {
    const last = this.#last
    const isNewest = last !== undefined && this.#lastIsNewest && last.windowStartMs < entry.windowStartMs
    const at = isNewest ? this.#entries.length : this.#place(entry.windowStartMs, entry.sessionStartMs)
    // Most keys have a window or two: an array that is pushed to has room for many.
    if (this.#entries.length === 0) this.#entries = [entry]
    else if (this.#entries.length === 1)
      this.#entries = at === 0 ? [entry, this.#entries[0]] : [this.#entries[0], entry]
    else if (at === this.#entries.length) this.#entries.push(entry)
    else this.#entries.splice(at, 0, entry)
    this.#last = entry
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

  /**
   * Gives an entry another place, if it stays between its neighbours there.
   * @returns whether it did; if not, it is where it was.
   */
  move(entry: StoreEntry, to: EntryPosition): boolean {
    if (to.windowStartMs < this.completeFromMs) return false
    const at = this.#place(entry.windowStartMs, entry.sessionStartMs)
    const [previous, next] = [this.#entries[at - 1], this.#entries[at + 1]]
    if (this.#entries[at] !== entry) return false
    if (previous !== undefined && !isBefore(previous, to.windowStartMs, to.sessionStartMs)) return false
    if (next !== undefined && !isBehind(next, to.windowStartMs, to.sessionStartMs)) return false
    entry.moveTo(to)
    return true
  }

  remove(entry: StoreEntry): boolean {
    const at = this.#place(entry.windowStartMs, entry.sessionStartMs)
    if (this.#entries[at] !== entry) return false
    this.#entries.splice(at, 1)
    this.#last = undefined
    return true
  }

  /** @returns how many. */
  removeBefore(startMs: number): number {
    const entries = this.#entries
    let count = 0
    while (count < entries.length && entries[count].windowStartMs < startMs) count++
    return this.#removeFirst(count)
  }

  /**
   * Drops the oldest clean entries that start at a border or before.
   * @returns how many.
   */
  evict(borderMs: number): number {
    const entries = this.#entries
    let count = 0
    while (count < entries.length && isIdle(entries[count]) && entries[count].windowStartMs <= borderMs) count++
    if (count > 0) this.completeFromMs = Math.max(this.completeFromMs, entries[count - 1].windowStartMs + 1)
    return this.#removeFirst(count)
  }

  #removeFirst(count: number): number {
    if (count === 0) return 0
    this.#entries.splice(0, count)
    this.#at -= count
    if (this.#at < 0) this.#last = undefined
    return count
  }

  get #lastIsNewest(): boolean {
    return this.#at === this.#entries.length - 1
  }

  #search(windowStartMs: number, sessionStartMs: number | undefined): StoreEntry | undefined {
    const at = this.#place(windowStartMs, sessionStartMs)
    const entry = this.#entries[at]
    if (entry === undefined || !isAt(entry, windowStartMs, sessionStartMs)) return undefined
    this.#last = entry
    this.#at = at
    return entry
  }

  /** Index of the first entry that is not before a place. */
  #place(windowStartMs: number, sessionStartMs = 0): number {
    const entries = this.#entries
    // What is looked for is mostly new: steps from the end, each twice as long as the one before.
    let high = entries.length
    let low = high - 1
    for (let step = 1; low >= 0 && !isBefore(entries[low], windowStartMs, sessionStartMs); step *= 2) {
      high = low
      low -= step
    }
    low = low < 0 ? 0 : low + 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isBefore(entries[middle], windowStartMs, sessionStartMs)) low = middle + 1
      else high = middle
    }
    return low
  }
}

function isAt(entry: StoreEntry, windowStartMs: number, sessionStartMs: number | undefined): boolean {
  return entry.windowStartMs === windowStartMs && entry.sessionStartMs === sessionStartMs
}

function isBehind(entry: StoreEntry, windowStartMs: number, sessionStartMs: number): boolean {
  return !isBefore(entry, windowStartMs, sessionStartMs) && !isAt(entry, windowStartMs, sessionStartMs)
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
  /** Windows that came since the last `dropBefore`. */
  #added = 0
  /** Keys that it left. */
  #rowsLeft = 0
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

  /** All of them, key by key. */
  *entries(): Generator<StoreEntry> {
    for (const row of this.#rows.values()) yield* row.entries
  }

  /** @param completeFromMs Of the key's row if it has none yet. */
  add(key: unknown, entry: StoreEntry, completeFromMs: number): void {
    const row = this.of(key) ?? this.begin(key, completeFromMs)
    row.add(entry)
    this.#size++
    this.#added++
  }

  /** Forgets a deleted window where nothing else would be asked for it. */
  removeAbsent(entry: StoreEntry): void {
    const row = this.of(entry.key instanceof SessionKey ? entry.key.key : entry.key)
    if (row === undefined || entry.pending || entry.windowStartMs < row.completeFromMs || !row.remove(entry)) return
    this.#size--
  }

  /** Whether so many windows came since the last `dropBefore` that a look at each key is little beside: each key is an old one, or came with a window. */
  get grown(): boolean {
    return this.#added > leastAdded + 2 * this.#rowsLeft
  }

  /** Forgets the windows that start before. */
  dropBefore(startMs: number): void {
    this.#added = 0
    for (const row of this.#rows.values()) {
      this.#size -= row.removeBefore(startMs)
      if (row.entries.length === 0) this.#rows.delete(row.id)
    }
    this.#rowsLeft = this.#rows.size
    this.#lastRow = undefined
  }

  /** Drops clean entries above a number, those of the oldest windows first. */
  evict(cacheEntries: number): void {
    const border = this.#borderOf(this.#size - cacheEntries)
    if (border === undefined) return
    for (const row of this.#rows.values()) {
      if (this.#size <= cacheEntries) break
      this.#size -= row.evict(border)
      if (row.entries.length === 0) this.#rows.delete(row.id)
    }
    this.completeFromMs = Math.max(this.completeFromMs ?? 0, border + 1)
    this.#lastRow = undefined
  }

  clear(): void {
    this.#rows.clear()
    this.#size = 0
    this.#added = 0
    this.#rowsLeft = 0
    this.#lastRow = undefined
    this.completeFromMs = undefined
  }

  /** The latest window start among the `count` oldest clean entries, about: found from one key in several, where there are many. */
  #borderOf(count: number): number | undefined {
    if (count <= 0) return undefined
    const every = Math.ceil(this.#size / sampledEntries)
    const starts: number[] = []
    let at = 0
    for (const row of this.#rows.values()) {
      if (at++ % every > 0) continue
      for (const entry of row.entries) if (isIdle(entry)) starts.push(entry.windowStartMs)
    }
    const sorted = Float64Array.from(starts).sort()
    return sorted[Math.min(Math.ceil((count / this.#size) * sorted.length), sorted.length) - 1]
  }
}
