import type { DurableOperator } from '../graph/durable-operator.ts'
import { wholeCount } from './counts.ts'

/**
 * Emits `size` values of a key at once, in a list. A list begins with a key's first value and then with every `startEvery`th (default: `size`), so lists
 * overlap or leave values out. A list that is not full waits for ever. Each record writes the values of the longest open list anew.
 */
export function bufferCount<V>(size: number, startEvery = size): DurableOperator<V, readonly V[], 'anew'> {
  wholeCount('bufferCount(size)', size, 1)
  wholeCount('bufferCount(size, startEvery)', startEvery, 1)
  return {
    verb: 'bufferCount',
    writtenAs: 'anew',
    onValue(state, value) {
      // Every open list is a tail of the values kept: its length tells all.
      const [sinceStart = 0, ...before] = state?.numbers ?? []
      const begun = sinceStart === 0 ? [...before, 0] : before
      const lengths = begun.map((length) => length + 1)
      const values = begun.length === 0 ? [] : [...(state?.values ?? []), value]
      const full = lengths[0] === size
      const open = full ? lengths.slice(1) : lengths
      const kept = open.length === 0 ? [] : values.slice(values.length - open[0])
      return {
        state: { numbers: [(sinceStart + 1) % startEvery, ...open], values: kept },
        emits: full ? [values] : []
      }
    }
  }
}
