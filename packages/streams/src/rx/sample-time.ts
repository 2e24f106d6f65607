import type { DurableOperator } from '../graph/durable-operator.ts'
import { type Duration, durationMs } from '../graph/duration.ts'
import { nextTickMs } from './ticks.ts'

/**
 * Emits a key's latest value every `period`, counted from the key's first value; nothing if none came since the last time. A value that comes exactly
 * then is emitted. The time of its first value is kept of every key.
 */
export function sampleTime<V>(period: Duration): DurableOperator<V, V, 'input'> {
  const periodMs = durationMs('sampleTime(period)', period, { leastMs: 1 })
  return {
    verb: 'sampleTime',
    writtenAs: 'input',
    waitsMs: periodMs,
    onValue(state, value, { nowMs }) {
      const startMs = state?.numbers[0] ?? nowMs
      const dueMs = state?.dueMs ?? nextTickMs(startMs, periodMs, nowMs)
      return { state: { numbers: [startMs], values: [value], dueMs }, emits: [] }
    },
    onTimer: ({ numbers, values }) => ({ state: { numbers, values: [] }, emits: values })
  }
}
