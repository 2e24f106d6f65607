import type { DurableOperator } from '../graph/durable-operator.ts'

/** Emits each value together with the one before it of its key, from a key's second value on. */
export function pairwise<V>(): DurableOperator<V, readonly [previous: V, current: V], 'anew'> {
  return {
    verb: 'pairwise',
    writtenAs: 'anew',
    onValue: (state, value) => ({
      state: { numbers: [], values: [value] },
      emits: state === undefined ? [] : [[state.values[0], value]]
    })
  }
}
