import type { StoreCell } from '../state/store.ts'
import type { StageParticipant } from './task-context.ts'

/** What a row was: undefined for none. */
export interface RowBefore {
  readonly value: unknown
}

/** What the cells of a key share, and those of another do not. */
export type CellIdentity = (cell: StoreCell) => unknown

/**
 * The cells of a store that one operator changed since the last commit, in the order in which they first changed, and what was in each before. Only
 * one operator may do this with a store: the mark that a cell is pending is the cell's own, so that a change costs no look-up.
 */
export class PendingUpdates implements StageParticipant {
  #cells: StoreCell[] = []
  #oldValues: unknown[] = []
  #marked = 0
  /** Only where it is asked for: what was in each cell, by its identity. */
  #tracked: { readonly identityOf: CellIdentity; readonly before: Map<unknown, RowBefore> } | undefined

  /** From now on it knows what a row was, by its key. */
  track(identityOf: CellIdentity): void {
    this.#tracked = { identityOf, before: new Map() }
  }

  /** What a row was before its update that is still pending; undefined where none is. */
  before(identity: unknown): RowBefore | undefined {
    return this.#tracked?.before.get(identity)
  }

  /** Notes a change; only the first of a cell counts, and none of a write that the store dropped. */
  note(cell: StoreCell, oldValue: unknown): void {
    if (cell.pending || !cell.dirty) return
    cell.pending = true
    this.#cells.push(cell)
    this.#oldValues.push(oldValue)
    this.#tracked?.before.set(this.#tracked.identityOf(cell), { value: oldValue })
  }

  /** Hands over what is pending and begins anew. */
  take(visit: (cell: StoreCell, oldValue: unknown) => void): void {
    const [cells, oldValues] = [this.#cells, this.#oldValues]
    this.#cells = []
    this.#oldValues = []
    this.#marked = 0
    for (let i = 0; i < cells.length; i++) {
      this.#forget(cells[i])
      visit(cells[i], oldValues[i])
    }
  }

  mark(): void {
    this.#marked = this.#cells.length
  }

  rollback(): void {
    for (const cell of this.#cells.splice(this.#marked)) this.#forget(cell)
    this.#oldValues.length = this.#marked
  }

  #forget(cell: StoreCell): void {
    cell.pending = false
    this.#tracked?.before.delete(this.#tracked.identityOf(cell))
  }
}
