import type { DurableOperator } from '../graph/durable-operator.ts'

/**
 * Emits a value unless it equals the one its key emitted last. Without `isEqual` primitives are compared by `===` and other values by the bytes they
 * are written with, since a value that comes back from the log is never the same object.
 * @param keyOf What of a value is compared; the value is kept, so it needs no serde.
 */
export function distinctUntilChanged<V, C = V>(
  isEqual?: (previous: C, current: C) => boolean,
  keyOf?: (value: V) => C
): DurableOperator<V, V, 'input'>
export function distinctUntilChanged(
  isEqual?: { call(previous: unknown, current: unknown): boolean }['call'],
  keyOf: { call(value: unknown): unknown }['call'] = (value) => value
): DurableOperator<never, unknown, 'input'> {
  return {
    verb: 'distinctUntilChanged',
    writtenAs: 'input',
    onValue(state, value, { same }) {
      const equal = isEqual ?? same
      if (state !== undefined && equal(keyOf(state.values[0]), keyOf(value))) return { state, emits: [] }
      return { state: { numbers: [], values: [value] }, emits: [value] }
    }
  }
}
