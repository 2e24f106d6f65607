import type { IndexedWindowStore, Timestamped } from './store.ts'
import type { WindowIndex } from './window-index.ts'
import type { WindowTable } from './window-table.ts'

/** A window store of a task whose windows begin anywhere: an entry per window start and key, and the index that finds a key's windows. */
export class IndexedWindowTable implements IndexedWindowStore<unknown, unknown> {
  readonly #windows: WindowTable
  readonly #index: WindowIndex

  constructor(windows: WindowTable, index: WindowIndex) {
    this.#windows = windows
    this.#index = index
  }

  get name(): string {
    return this.#windows.name
  }

  get newestStartMs(): number {
    return this.#windows.newestStartMs
  }

  starts(key: unknown, fromMs: number, toMs: number): number[] {
    return this.#index.between(key, fromMs, toMs).map(({ atMs }) => atMs)
  }

  get(key: unknown, windowStartMs: number): Timestamped<unknown> | undefined {
    return this.#windows.get(key, windowStartMs)
  }

  put(key: unknown, windowStartMs: number, value: unknown, timestamp: number): void {
    this.#windows.put(key, windowStartMs, value, timestamp)
    const place = { atMs: windowStartMs, startMs: 0 }
    if (value === null) this.#index.remove(key, place)
    else this.#index.add(key, place)
  }
}
