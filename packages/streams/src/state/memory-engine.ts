import type { ChangeTeller, KeyRange, StateChange, StateEngine, StateScan } from './engine.ts'
import { OrderedBytes } from './ordered-bytes.ts'

/** State in memory, gone with the process; what its changelogs hold comes back at the next start. */
export class MemoryEngine implements StateEngine {
  readonly location = 'in memory'
  readonly #entries = new OrderedBytes()

  get(key: Buffer): Buffer | undefined {
    const value = this.#entries.get(key)
    return value === undefined ? undefined : Buffer.from(value)
  }

  async write(tell: ChangeTeller): Promise<void> {
    const kept = keptChanges(tell)
    for (const { key, value } of kept) {
      if (value === null) this.#entries.delete(key)
      else this.#entries.set(key, value)
    }
  }

  scan(range: KeyRange): StateScan {
    return scanOrdered(this.#entries, range)
  }

  async clear(range: KeyRange): Promise<void> {
    this.#entries.clear(range)
  }

  async approximateEntries(range: KeyRange): Promise<number> {
    return this.#entries.count(range)
  }

  async sizeBytes(): Promise<number> {
    return 0
  }

  async close(): Promise<void> {}
}

/** All changes, with bytes of their own. */
export function keptChanges(tell: ChangeTeller): StateChange[] {
  const kept: StateChange[] = []
  tell((key, value) => kept.push({ key: Buffer.from(key), value: value && Buffer.from(value) }))
  return kept
}

/** A scan that sees what is written to the map meanwhile, if it is still ahead. */
export function scanOrdered(entries: OrderedBytes, range: KeyRange): StateScan {
  let after: Buffer | undefined
  return {
    next: async (limit) => {
      const page = entries.page(range, after, limit)
      after = page.at(-1)?.[0] ?? after
      return page.map(([key, value]) => [key, Buffer.from(value)] as const)
    },
    close: async () => undefined
  }
}
