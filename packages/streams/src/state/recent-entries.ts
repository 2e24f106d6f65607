import type { StoreEntry } from './store-entry.ts'

/** The two entries of a store that were found last: what is read is mostly written next, or after one other key. */
export class RecentEntries {
  #key: unknown
  #entry: StoreEntry | undefined
  #olderKey: unknown
  #older: StoreEntry | undefined

  /** The entry of a key, if it is one of the two. */
  find(key: unknown): StoreEntry | undefined {
    if (this.#entry !== undefined && Object.is(key, this.#key)) return this.#entry
    return this.#older !== undefined && Object.is(key, this.#olderKey) ? this.#older : undefined
  }

  /** An entry was found elsewhere. */
  note(key: unknown, entry: StoreEntry): void {
    this.#olderKey = this.#key
    this.#older = this.#entry
    this.#key = key
    this.#entry = entry
  }

  /** The store may have dropped them. */
  clear(): void {
    this.#entry = undefined
    this.#older = undefined
  }
}
