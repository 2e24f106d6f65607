import type { DurableOperator } from '../graph/durable-operator.ts'
import { type Duration, durationMs } from '../graph/duration.ts'
import { refuseUnknownOptions } from '../graph/option-names.ts'

/** Which values of a throttled stretch of time are emitted. */
export interface ThrottleOptions {
  /** The one that begins it, at once. Default true. */
  readonly leading?: boolean
  /** The last one that it held back, when it ends; that begins the next stretch. Default false. */
  readonly trailing?: boolean
}

/** Emits a key's value, then nothing of the key for `duration`. A value that comes exactly at its end is still held back. */
export function throttleTime<V>(duration: Duration, options: ThrottleOptions = {}): DurableOperator<V, V, 'input'> {
  refuseUnknownOptions('throttleTime()', options, ['leading', 'trailing'])
  const { leading = true, trailing = false } = options
  const waitsMs = durationMs('throttleTime(duration)', duration, { leastMs: 1 })
  const silence = (values: readonly unknown[], nowMs: number) => ({ numbers: [], values, dueMs: nowMs + waitsMs })
  return {
    verb: 'throttleTime',
    writtenAs: 'input',
    waitsMs,
    onValue(state, value, { nowMs }) {
      if (state === undefined) {
        if (leading) return { state: silence([], nowMs), emits: [value] }
        return { state: silence(trailing ? [value] : [], nowMs), emits: [] }
      }
      return { state: trailing ? { ...state, values: [value] } : state, emits: [] }
    },
    onTimer: ({ values }, nowMs) => ({ state: values.length === 0 ? undefined : silence([], nowMs), emits: values })
  }
}
