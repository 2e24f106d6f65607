import type { DurableOperator } from '../graph/durable-operator.ts'
import { wholeCount } from './counts.ts'

/** Drops the first `count` values of a key and emits what follows. */
export function skip<V>(count: number): DurableOperator<V, V, 'input'> {
  wholeCount('skip(count)', count, 0)
  return {
    verb: 'skip',
    writtenAs: 'input',
    onValue(state, value) {
      const skipped = state?.numbers[0] ?? 0
      if (skipped >= count) return { state, emits: [value] }
      return { state: { numbers: [skipped + 1], values: [] }, emits: [] }
    }
  }
}
