import type { DurableOperator } from '../graph/durable-operator.ts'
import type { Serde } from '../serde/serde.ts'

/**
 * Emits, for every value, what `accumulate` makes of the last result of its key and the value. Without a seed a key's first value is emitted as it
 * is, and begins the results. `index` counts the calls per key as RxJS does: from 0 with a seed, from 1 without. Results are not null.
 * @param options `value`: how results are written, in the store and below.
 */
export function scan<V, A>(
  accumulate: (result: A, value: V, index: number) => A,
  seed: A,
  options: { readonly value: Serde<NoInfer<A>> }
): DurableOperator<V, A, 'kept'>
export function scan<V>(accumulate: (result: V, value: V, index: number) => V): DurableOperator<V, V, 'input'>
export function scan(
  accumulate: { call(result: unknown, value: unknown, index: number): unknown }['call'],
  ...rest: readonly [] | readonly [seed: unknown, options: { readonly value: Serde<unknown> }]
): DurableOperator<never, unknown> {
  const [seed, options] = rest
  const hasSeed = rest.length > 0
  return {
    verb: 'scan',
    writtenAs: hasSeed ? 'kept' : 'input',
    ...(options && { kept: options.value }),
    onValue(state, value) {
      const index = state?.numbers[0] ?? 0
      const isFirst = state === undefined
      const result = isFirst && !hasSeed ? value : accumulate(isFirst ? seed : state.values[0], value, index)
      return { state: { numbers: [index + 1], values: [result] }, emits: [result] }
    }
  }
}
