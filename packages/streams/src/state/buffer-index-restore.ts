import { readLong } from '../serde/long.ts'
import type { StateChange } from './engine.ts'
import { engineValue, windowKey } from './layout.ts'
import type { StoreContext } from './store-context.ts'

const timestampBytes = 8
const present = Buffer.alloc(0)

/** Derives the changes of a buffer's index from a batch of its restored entries. */
export class BufferIndexRestore {
  readonly #index: StoreContext
  readonly #buffer: StoreContext
  /** Where a key is, as of the batch so far; undefined: nowhere. */
  readonly #places = new Map<string, number | undefined>()
  readonly #changes: StateChange[] = []
  #newestMs = -1

  constructor(index: StoreContext, buffer: StoreContext) {
    this.#index = index
    this.#buffer = buffer
  }

  /** @param value As on the changelog: it begins with the place. */
  note(engineKey: Buffer, value: Buffer | null): void {
    const id = engineKey.toString('latin1')
    const before = this.#places.has(id) ? this.#places.get(id) : this.#placeOf(engineKey)
    const after = value === null ? undefined : readLong(value, 0)
    this.#places.set(id, after)
    if (before === after) return
    const { prefix } = this.#index.meta
    const key = engineKey.subarray(1)
    if (before !== undefined) this.#changes.push({ key: windowKey(prefix, before, key), value: null })
    if (after === undefined) return
    this.#changes.push({ key: windowKey(prefix, after, key), value: engineValue(after, present) })
    this.#newestMs = Math.max(this.#newestMs, after)
  }

  /** The changes, and the latest place among them (-1: none). */
  finish(): { readonly changes: StateChange[]; readonly newestMs: number } {
    return { changes: this.#changes, newestMs: this.#newestMs }
  }

  #placeOf(engineKey: Buffer): number | undefined {
    const bytes = this.#buffer.engine.get(engineKey)
    return bytes === undefined ? undefined : readLong(bytes, timestampBytes)
  }
}
