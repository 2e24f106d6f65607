import type { StoreDefinition } from '../graph/node.ts'
import type { SuppressBounds } from '../graph/suppress-node.ts'
import type { Buffered } from '../serde/buffered.ts'
import type { WindowEntry } from '../state/closing-windows.ts'
import type { BufferStore } from '../state/store.ts'
import type { StageParticipant } from './task-context.ts'

/** How much a buffer holds: counted once after a start, then kept up with every change. */
export class BufferLoad implements StageParticipant {
  readonly #store: StoreDefinition
  #records = 0
  #bytes = 0
  #known = false
  readonly #bounds: Partial<SuppressBounds>
  #marked = { records: 0, bytes: 0 }

  constructor(store: StoreDefinition, bounds: Partial<SuppressBounds>) {
    this.#store = store
    this.#bounds = bounds
  }

  get isBounded(): boolean {
    return this.#bounds.maxRecords !== undefined || this.#bounds.maxBytes !== undefined
  }

  get isKnown(): boolean {
    return this.#known
  }

  now(): { readonly records: number; readonly bytes: number } {
    return { records: this.#records, bytes: this.#bytes }
  }

  get isExceeded(): boolean {
    const { maxRecords, maxBytes } = this.#bounds
    return (
      this.#records > (maxRecords ?? Number.POSITIVE_INFINITY) || this.#bytes > (maxBytes ?? Number.POSITIVE_INFINITY)
    )
  }

  added(key: unknown, held: Buffered): void {
    this.#records++
    if (this.#bounds.maxBytes !== undefined) this.#bytes += this.#sizeOf(key, held)
  }

  removed(key: unknown, held: Buffered): void {
    this.#records--
    if (this.#bounds.maxBytes !== undefined) this.#bytes -= this.#sizeOf(key, held)
  }

  /** Counts what is there. */
  async count(entries: AsyncIterable<readonly WindowEntry[]>, store: BufferStore<unknown>): Promise<void> {
    this.#records = 0
    this.#bytes = 0
    for await (const page of entries) {
      for (const { key } of page) {
        const held = store.get(key)
        if (held !== undefined) this.added(key, held.value)
      }
    }
    this.#known = true
  }

  mark(): void {
    this.#marked = this.now()
  }

  rollback(): void {
    this.#records = this.#marked.records
    this.#bytes = this.#marked.bytes
  }

  #sizeOf(key: unknown, held: Buffered): number {
    return this.#store.key.encode(key).length + this.#store.value.encode(held).length
  }
}
