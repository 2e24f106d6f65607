import type { MemoryFile } from '../environment/memory-file.ts'
import type { MemoryDirectory } from '../environment/memory-tree.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What a name may stand for. */
export type MemoryEntry = MemoryFile | MemoryDirectory

/** A change of names. A rename between directories is one change that both know: kept in both or in none. */
export interface NameChange {
  readonly sets: ReadonlyMap<UnsyncedDirectory, ReadonlyMap<string, MemoryEntry | null>>
  /** Decided by a sync or, once, by the power cut. */
  kept?: boolean
}

/** What a simulated disk holds of one directory: names that are certain, and the changes since. */
export class UnsyncedDirectory {
  readonly #durable: Map<string, MemoryEntry>
  #changes: NameChange[] = []

  constructor(durable: ReadonlyMap<string, MemoryEntry> = new Map()) {
    this.#durable = new Map(durable)
  }

  changed(change: NameChange): void {
    this.#changes.push(change)
  }

  /** What a sync that begins now will have made certain. */
  beginSync(): { complete(): void; fail(): void } {
    const covered = [...this.#changes]
    return {
      complete: () => {
        for (const change of covered) change.kept = true
        while (this.#changes[0]?.kept === true) {
          const first = this.#changes.shift()
          if (first !== undefined) this.#apply(this.#durable, first)
        }
      },
      // The names stay as uncertain as they were.
      fail: () => undefined
    }
  }

  /** The names found after a power cut: each change that is not synced is kept or lost for itself. */
  afterPowerCut(random: SeededRandom, keepChance: number): ReadonlyMap<string, MemoryEntry> {
    const names = new Map(this.#durable)
    for (const change of this.#changes) {
      change.kept ??= random.chance(keepChance)
      if (change.kept) this.#apply(names, change)
    }
    return names
  }

  #apply(names: Map<string, MemoryEntry>, change: NameChange): void {
    for (const [name, entry] of change.sets.get(this) ?? []) {
      if (entry === null) names.delete(name)
      else names.set(name, entry)
    }
  }
}
