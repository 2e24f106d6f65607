import type { DurableOperator } from '../graph/durable-operator.ts'
import { type Duration, durationMs } from '../graph/duration.ts'

/** From a key's value on waits for `duration`, then emits the key's latest value; the next value begins anew. */
export function auditTime<V>(duration: Duration): DurableOperator<V, V, 'input'> {
  const waitsMs = durationMs('auditTime(duration)', duration, { leastMs: 1 })
  return {
    verb: 'auditTime',
    writtenAs: 'input',
    waitsMs,
    onValue: (state, value, { nowMs }) => ({
      state: { numbers: [], values: [value], dueMs: state?.dueMs ?? nowMs + waitsMs },
      emits: []
    }),
    onTimer: ({ values }) => ({ state: undefined, emits: values })
  }
}
