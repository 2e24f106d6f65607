import type { StoreDefinition } from '../graph/node.ts'
import { shownValue } from '../query/shown-value.ts'
import type { CommittedPages, CommittedReader } from '../state/committed-reader.ts'
import type { Timestamped } from '../state/store.ts'

/** One entry of a store. */
export interface TestStoreEntry<K, V> {
  readonly key: K
  /** Start of the window, milliseconds; 0 in a store without windows. */
  readonly windowStartMs: number
  /** Session stores only: the session's last record, milliseconds. */
  readonly windowEndMs?: number
  readonly value: V
  /** Event time of the value, milliseconds. */
  readonly timestamp: number
}

/** A store of the topology, as of the last record piped in. */
export class TestStore<K, V> {
  readonly name: string
  readonly #reader: CommittedReader
  readonly #definition: StoreDefinition

  constructor(definition: StoreDefinition, reader: CommittedReader) {
    this.name = definition.name
    this.#definition = definition
    this.#reader = reader
  }

  /**
   * The value of a key, or undefined.
   * @param windowStartMs Which window; stores with windows only.
   */
  get(key: K, windowStartMs = 0): Timestamped<V> | undefined {
    return this.#shown(this.#reader.get(key, windowStartMs))
  }

  /** The value of a key's session, or undefined. */
  getSession(key: K, session: { readonly startMs: number; readonly endMs: number }): Timestamped<V> | undefined {
    return this.#shown(this.#reader.getSession(key, session))
  }

  /** A key's sessions that end at `earliestEndMs` or later and start at `latestStartMs` or before, by end, then start. */
  findSessions(key: K, earliestEndMs: number, latestStartMs: number): Promise<TestStoreEntry<K, V>[]> {
    return this.#collect(this.#reader.findSessions(key, { earliestEndMs, latestStartMs }))
  }

  /** All windows of a key that start (sessions: end) from `fromMs` to `toMs`, both included. */
  fetch(key: K, fromMs: number, toMs: number): Promise<TestStoreEntry<K, V>[]> {
    return this.#collect(this.#reader.fetch(key, { fromMs, toMs }))
  }

  /** Everything: by the key's bytes, or by window start (sessions: end, then start) and then the key's bytes. */
  all(): Promise<TestStoreEntry<K, V>[]> {
    return this.#collect(this.#reader.all())
  }

  async #collect(pages: CommittedPages): Promise<TestStoreEntry<K, V>[]> {
    const entries: TestStoreEntry<K, V>[] = []
    for await (const page of pages) {
      for (const entry of page) {
        const shown = this.#shown(entry)
        if (shown) entries.push({ ...entry, key: entry.key as K, ...shown })
      }
    }
    return entries
  }

  #shown(kept: Timestamped<unknown> | undefined): Timestamped<V> | undefined {
    const shown = kept && shownValue(this.#definition, kept.value)
    // The store's serdes made these values; the test names their types.
    return shown && { value: shown.value as V, timestamp: kept.timestamp }
  }
}
