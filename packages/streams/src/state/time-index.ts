import type { StoreDefinition } from '../graph/node.ts'
import { readLong } from '../serde/long.ts'
import { changesOf, type StateChange } from './engine.ts'
import { engineValue, storeRange, timestampBytes, windowKey } from './layout.ts'
import type { StoreContext } from './store-context.ts'
import { storeMetaChange } from './store-meta.ts'

const present = Buffer.alloc(0)
const pageEntries = 4_096

/** Whether a store has an entry a key and an index of its keys by time: of what a buffer holds by its place, of what expires by its timestamp. */
export function hasTimeIndex({ kind, ttlMs }: StoreDefinition): boolean {
  return kind === 'buffer' || ttlMs !== undefined
}

/** Derives the changes of such an index from a batch of restored entries. */
export class TimeIndexRestore {
  readonly #index: StoreContext
  readonly #entries: StoreContext
  /** Where a key is, as of the batch so far; undefined: nowhere. */
  readonly #times = new Map<string, number | undefined>()
  readonly #changes: StateChange[] = []
  #newestMs = -1

  constructor(index: StoreContext, entries: StoreContext) {
    this.#index = index
    this.#entries = entries
  }

  /** @param value As on the changelog, with its timestamp. */
  note(engineKey: Buffer, value: Buffer | null, timestamp: number): void {
    const id = engineKey.toString('latin1')
    const before = this.#times.has(id) ? this.#times.get(id) : this.#timeOf(engineKey)
    const after = value === null ? undefined : this.#isBuffer ? readLong(value, 0) : timestamp
    this.#times.set(id, after)
    if (before === after) return
    const { prefix } = this.#index.meta
    const key = engineKey.subarray(1)
    if (before !== undefined) this.#changes.push({ key: windowKey(prefix, before, key), value: null })
    if (after === undefined) return
    this.#changes.push({ key: windowKey(prefix, after, key), value: engineValue(after, present) })
    this.#newestMs = Math.max(this.#newestMs, after)
  }

  /** The changes, and the latest time among them (-1: none). */
  finish(): { readonly changes: StateChange[]; readonly newestMs: number } {
    return { changes: this.#changes, newestMs: this.#newestMs }
  }

  get #isBuffer(): boolean {
    return this.#entries.definition.kind === 'buffer'
  }

  #timeOf(engineKey: Buffer): number | undefined {
    const bytes = this.#entries.engine.get(engineKey)
    return bytes === undefined ? undefined : readLong(bytes, this.#isBuffer ? timestampBytes : 0)
  }
}

/**
 * Makes the index of a store whose rows were not expected to expire when they were written: then the two were not committed together last. A crash in
 * between is met again at the next start.
 */
export async function completeTimeIndex(index: StoreContext, rows: StoreContext): Promise<void> {
  if (index.committed.committedAtMs === rows.committed.committedAtMs) return
  const { engine, committed } = index
  await engine.clear(storeRange(committed.prefix))
  for await (const page of engine.pages(storeRange(rows.committed.prefix), pageEntries)) {
    const changes = page.map(([engineKey, bytes]): StateChange => {
      const timestamp = readLong(bytes, 0)
      committed.maxWindowStartMs = Math.max(committed.maxWindowStartMs, timestamp)
      return {
        key: windowKey(committed.prefix, timestamp, engineKey.subarray(1)),
        value: engineValue(timestamp, present)
      }
    })
    await engine.write(changesOf(changes))
  }
  committed.committedAtMs = rows.committed.committedAtMs
  index.meta = { ...committed }
  await engine.write(changesOf([storeMetaChange(index.definition.name, committed)]))
}
