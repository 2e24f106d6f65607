import type { DurableOperator } from '../graph/durable-operator.ts'

const ended = -1

/**
 * Emits a key's values until `predicate` is false of one, and then nothing of that key, ever. `index` counts the values of the key from 0.
 * @param inclusive True emits the value that ended it too. Default false.
 */
export function takeWhile<V>(
  predicate: (value: V, index: number) => boolean,
  inclusive?: boolean
): DurableOperator<V, V, 'input'>
export function takeWhile(
  predicate: { call(value: unknown, index: number): boolean }['call'],
  inclusive = false
): DurableOperator<never, unknown, 'input'> {
  return {
    verb: 'takeWhile',
    writtenAs: 'input',
    onValue(state, value) {
      const index = state?.numbers[0] ?? 0
      if (index === ended) return { state, emits: [] }
      if (predicate(value, index)) return { state: { numbers: [index + 1], values: [] }, emits: [value] }
      return { state: { numbers: [ended], values: [] }, emits: inclusive ? [value] : [] }
    }
  }
}
