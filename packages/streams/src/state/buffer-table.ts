import type { Buffered } from '../serde/buffered.ts'
import type { KeyValueTable } from './key-value-table.ts'
import type { BufferStore, Timestamped } from './store.ts'
import type { WindowTable } from './window-table.ts'

/** A buffer of a task: an entry per key, and an index of the keys by the time they are held back from. */
export class BufferTable implements BufferStore<unknown> {
  readonly #entries: KeyValueTable
  readonly #places: WindowTable

  constructor(entries: KeyValueTable, places: WindowTable) {
    this.#entries = entries
    this.#places = places
  }

  get name(): string {
    return this.#entries.name
  }

  get newestPlaceMs(): number {
    return this.#places.newestStartMs
  }

  get(key: unknown): Timestamped<Buffered> | undefined {
    const found = this.#entries.get(key)
    return isBuffered(found) ? found : undefined
  }

  put(key: unknown, held: Buffered, timestamp: number): void {
    const before = this.get(key)
    if (before?.value.placeMs !== held.placeMs) {
      if (before !== undefined) this.#places.put(key, before.value.placeMs, null, timestamp)
      this.#places.put(key, held.placeMs, true, timestamp)
    }
    this.#entries.put(key, held, timestamp)
  }

  remove(key: unknown, timestamp: number): void {
    const before = this.get(key)
    if (before === undefined) return
    this.#places.put(key, before.value.placeMs, null, timestamp)
    this.#entries.put(key, null, timestamp)
  }
}

function isBuffered(found: Timestamped<unknown> | undefined): found is Timestamped<Buffered> {
  return typeof found?.value === 'object' && found.value !== null && 'placeMs' in found.value
}
