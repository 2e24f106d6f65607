import type { Serde } from '../serde/serde.ts'
import type { Timestamped } from './store.ts'
import type { StoreEntry } from './store-entry.ts'

/** What an entry costs beside its encoded bytes: objects and map slots. */
const entryOverheadBytes = 96
const firstEstimateBytes = 64
const sampleEvery = 64

/**
 * The changes of one store since its last commit, in the order in which their keys first changed, with an undo log from the last `mark`: what
 * a record that is skipped did is taken back.
 */
export class WriteBuffer {
  readonly #values: Serde<unknown>
  #dirty: StoreEntry[] = []
  #estimateBytes = firstEstimateBytes
  #newestStartMs = -1
  #deletes = false
  #newestAtMarkMs = -1
  #marked = false
  #dirtyAtMark = 0
  /** Slots are used again and again: a mark comes with every record. */
  #undoCount = 0
  readonly #undoEntries: StoreEntry[] = []
  readonly #undoValues: (Timestamped<unknown> | undefined)[] = []
  readonly #undoDeletionsMs: number[] = []

  constructor(values: Serde<unknown>) {
    this.#values = values
  }

  /** Entries that changed, in the order of their first change. */
  get dirty(): readonly StoreEntry[] {
    return this.#dirty
  }

  /** The latest window start among the changes, -1 without any. */
  get newestStartMs(): number {
    return this.#newestStartMs
  }

  /** Whether a change may be a deletion. */
  get deletes(): boolean {
    return this.#deletes
  }

  /** Approximate, from the sizes of samples. */
  get sizeBytes(): number {
    return this.#dirty.length * (this.#estimateBytes + entryOverheadBytes)
  }

  /** Whether changes may be taken back one by one. */
  get undoable(): boolean {
    return this.#marked
  }

  /** @param value Null deletes. */
  set(entry: StoreEntry, value: unknown, timestamp: number): void {
    if (this.#marked) {
      const at = this.#undoCount++
      this.#undoEntries[at] = entry
      this.#undoValues[at] = entry.current
      this.#undoDeletionsMs[at] = entry.deletedAtMs
    }
    if (!entry.dirty) entry.wasAbsent = entry.current === undefined
    if (value === null) {
      this.#deletes = true
      entry.current = undefined
      entry.deletedAtMs = timestamp
    } else entry.current = { value, timestamp }
    entry.forgetEncodedValue()
    if (entry.windowStartMs > this.#newestStartMs) this.#newestStartMs = entry.windowStartMs
    if (entry.dirty) return
    entry.dirty = true
    this.#dirty.push(entry)
    if (this.#dirty.length % sampleEvery === 1) this.#sample(entry)
  }

  /** From here on changes are noted, until the next mark. */
  mark(): void {
    this.#marked = true
    this.#dirtyAtMark = this.#dirty.length
    this.#newestAtMarkMs = this.#newestStartMs
    this.#undoCount = 0
  }

  /** Takes back what changed since the mark. */
  rollback(): void {
    for (let i = this.#undoCount - 1; i >= 0; i--) {
      const entry = this.#undoEntries[i]
      entry.current = this.#undoValues[i]
      entry.deletedAtMs = this.#undoDeletionsMs[i]
      entry.forgetEncodedValue()
    }
    for (const entry of this.#dirty.splice(this.#dirtyAtMark)) entry.dirty = false
    this.#newestStartMs = this.#newestAtMarkMs
    this.mark()
  }

  /** Forgets the changes that `drop` says need not be written. What was changed before can not be taken back then. */
  prune(drop: (entry: StoreEntry) => boolean): void {
    const marked = this.#marked
    this.#dirty = this.#dirty.filter((entry) => {
      if (!drop(entry)) return true
      entry.dirty = false
      return false
    })
    this.#endMark()
    if (marked) this.mark()
  }

  /** All changes are committed: their entries are clean. */
  committed(): void {
    for (const entry of this.#dirty) {
      entry.dirty = false
      entry.forgetEncoded()
    }
    this.clear()
  }

  /** Forgets the changes and what they were; the entries are to be dropped too. */
  clear(): void {
    this.#dirty = []
    this.#deletes = false
    this.#newestStartMs = -1
    this.#endMark()
  }

  #endMark(): void {
    this.#marked = false
    this.#dirtyAtMark = this.#dirty.length
    this.#undoCount = 0
    this.#undoEntries.length = 0
    this.#undoValues.length = 0
    this.#undoDeletionsMs.length = 0
  }

  /** Keys and values are objects whose size only their bytes tell; one in many is measured. */
  #sample(entry: StoreEntry): void {
    const bytes = entry.encodedValue(this.#values)?.length ?? 0
    const weight = this.#estimateBytes < bytes ? 0.5 : 0.1
    this.#estimateBytes += (bytes - this.#estimateBytes) * weight
  }
}
