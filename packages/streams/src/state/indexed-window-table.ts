import type { IndexedWindowStore, StoreCell, Timestamped } from './store.ts'
import type { WindowTable } from './window-table.ts'

/** A window store of a task whose windows begin anywhere, and whose index finds a key's windows. */
export class IndexedWindowTable implements IndexedWindowStore<unknown, unknown> {
  readonly #windows: WindowTable

  constructor(windows: WindowTable) {
    this.#windows = windows
  }

  get name(): string {
    return this.#windows.name
  }

  get newestStartMs(): number {
    return this.#windows.newestStartMs
  }

  between(key: unknown, fromMs: number, toMs: number): readonly StoreCell[] {
    return this.#windows.between(key, fromMs, toMs)
  }

  get(key: unknown, windowStartMs: number): Timestamped<unknown> | undefined {
    return this.#windows.get(key, windowStartMs)
  }

  put(key: unknown, windowStartMs: number, value: unknown, timestamp: number): StoreCell {
    return this.#windows.put(key, windowStartMs, value, timestamp)
  }
}
