import type { Row } from '../rows/row-change.ts'

const known = new Map<string, readonly string[]>()
const KNOWN_LIMIT = 1000

/** Names the columns of rows, most of which have the same ones in the same order: those are recognized without a look into a map. */
export class ColumnNames {
  #written: readonly string[] = []
  #sorted: readonly string[] = []

  /** The row's columns, sorted: one and the same array for all rows of the same columns, whoever asks, as far as they are known. */
  of(row: Row): readonly string[] {
    const names = Object.keys(row)
    if (!areSame(names, this.#written)) {
      this.#written = names
      this.#sorted = sortedNames(names)
    }
    return this.#sorted
  }
}

function areSame(left: readonly string[], right: readonly string[]): boolean {
  if (left.length !== right.length) return false
  for (let at = 0; at < left.length; at++) if (left[at] !== right[at]) return false
  return true
}

function sortedNames(names: readonly string[]): readonly string[] {
  const written = names.join('\0')
  const columns = known.get(written)
  if (columns !== undefined) return columns
  const sorted = names.toSorted()
  const identity = sorted.join('\0')
  const same = known.get(identity) ?? sorted
  if (known.size >= KNOWN_LIMIT) known.clear()
  known.set(identity, same)
  known.set(written, same)
  return same
}
