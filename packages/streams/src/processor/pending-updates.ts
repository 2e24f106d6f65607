import type { StoreCell } from '../state/store.ts'
import type { StageParticipant } from './task-context.ts'

/**
 * The cells of a store that one operator changed since the last commit, in the order in which they first changed, and what was in each before. Only
 * one operator may do this with a store: the mark that a cell is pending is the cell's own, so that a change costs no look-up.
 */
export class PendingUpdates implements StageParticipant {
  #cells: StoreCell[] = []
  #oldValues: unknown[] = []
  #marked = 0

  /** Notes a change; only the first of a cell counts, and none of a write that the store dropped. */
  note(cell: StoreCell, oldValue: unknown): void {
    if (cell.pending || !cell.dirty) return
    cell.pending = true
    this.#cells.push(cell)
    this.#oldValues.push(oldValue)
  }

  /** Hands over what is pending and begins anew. */
  take(visit: (cell: StoreCell, oldValue: unknown) => void): void {
    const [cells, oldValues] = [this.#cells, this.#oldValues]
    this.#cells = []
    this.#oldValues = []
    this.#marked = 0
    for (let i = 0; i < cells.length; i++) {
      cells[i].pending = false
      visit(cells[i], oldValues[i])
    }
  }

  mark(): void {
    this.#marked = this.#cells.length
  }

  rollback(): void {
    for (const cell of this.#cells.splice(this.#marked)) cell.pending = false
    this.#oldValues.length = this.#marked
  }
}
