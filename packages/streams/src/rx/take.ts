import type { DurableOperator } from '../graph/durable-operator.ts'
import { wholeCount } from './counts.ts'

/** Emits the first `count` values of a key, and then nothing of that key, ever. 0 emits nothing. */
export function take<V>(count: number): DurableOperator<V, V, 'input'> {
  wholeCount('take(count)', count, 0)
  return {
    verb: 'take',
    writtenAs: 'input',
    onValue(state, value) {
      const taken = state?.numbers[0] ?? 0
      if (taken >= count) return { state, emits: [] }
      return { state: { numbers: [taken + 1], values: [] }, emits: [value] }
    }
  }
}
