import { keyIdentity } from '../serde/key-identity.ts'
import type { Serde } from '../serde/serde.ts'
import type { Timestamped } from '../state/store.ts'
import type { StageParticipant } from './task-context.ts'

/** What the records of one key and pane were made into since the last commit. */
export interface CombinedValue {
  readonly key: unknown
  readonly paneMs: number
  /** Undefined before the first record. */
  current: Timestamped<unknown> | undefined
}

interface Undo {
  readonly entry: CombinedValue
  readonly current: Timestamped<unknown> | undefined
}

/** The values of a combining node between two commits, in the order of their first records. In memory: an abort of the transaction takes them along. */
export class CombinedValues implements StageParticipant {
  readonly #identity: (key: unknown) => string | number | bigint | boolean
  readonly #panes = new Map<number, Map<string | number | bigint | boolean, CombinedValue>>()
  #entries: CombinedValue[] = []
  /** Absent where records are never undone. */
  #undo: Undo[] | undefined

  constructor(key: Serde<unknown>) {
    this.#identity = keyIdentity(key)
  }

  get size(): number {
    return this.#entries.length
  }

  at(key: unknown, paneMs: number): CombinedValue {
    let pane = this.#panes.get(paneMs)
    if (pane === undefined) {
      pane = new Map()
      this.#panes.set(paneMs, pane)
    }
    const identity = this.#identity(key)
    let entry = pane.get(identity)
    if (entry === undefined) {
      entry = { key, paneMs, current: undefined }
      pane.set(identity, entry)
      this.#entries.push(entry)
    }
    return entry
  }

  set(entry: CombinedValue, current: Timestamped<unknown>): void {
    this.#undo?.push({ entry, current: entry.current })
    entry.current = current
  }

  /** Hands over what there is and begins anew. */
  take(): readonly CombinedValue[] {
    const entries = this.#entries
    this.#entries = []
    this.#panes.clear()
    if (this.#undo) this.#undo.length = 0
    return entries
  }

  mark(): void {
    if (this.#undo === undefined) this.#undo = []
    else this.#undo.length = 0
  }

  rollback(): void {
    for (let undo = this.#undo?.pop(); undo !== undefined; undo = this.#undo?.pop()) undo.entry.current = undo.current
  }
}
