import type { KeyValueRow } from './key-value-range.ts'
import type { KeyValueTable } from './key-value-table.ts'
import type { KeySpan, KeyValueStore, StoreCell, Timestamped } from './store.ts'
import type { WindowTable } from './window-table.ts'

/** A key-value store whose rows have a time to live: an entry per key, and an index of the keys by the timestamps of their rows. */
export class ExpiringTable implements KeyValueStore<unknown, unknown> {
  readonly #rows: KeyValueTable
  readonly #times: WindowTable

  constructor(rows: KeyValueTable, times: WindowTable) {
    this.#rows = rows
    this.#times = times
  }

  get name(): string {
    return this.#rows.name
  }

  get(key: unknown): Timestamped<unknown> | undefined {
    return this.#rows.get(key)
  }

  put(key: unknown, value: unknown, timestamp: number): StoreCell {
    const before = this.#rows.get(key)?.timestamp
    const after = value === null || value === undefined ? undefined : timestamp
    if (before !== after) {
      if (before !== undefined) this.#times.put(key, before, null, timestamp)
      if (after !== undefined) this.#times.put(key, after, true, timestamp)
    }
    return this.#rows.put(key, value, timestamp)
  }

  putNew(key: unknown, value: unknown, timestamp: number): void {
    this.put(key, value, timestamp)
  }

  rows(span: KeySpan): AsyncGenerator<readonly KeyValueRow[]> {
    return this.#rows.rows(span)
  }
}
