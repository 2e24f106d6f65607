import type { DurableOperator } from '../graph/durable-operator.ts'
import { type Duration, durationMs } from '../graph/duration.ts'

/** Emits a key's last value once it has been silent for `due`, at that time. A value that comes exactly then is no silence. */
export function debounceTime<V>(due: Duration): DurableOperator<V, V, 'input'> {
  const dueMs = durationMs('debounceTime(due)', due, { leastMs: 1 })
  return {
    verb: 'debounceTime',
    writtenAs: 'input',
    waitsMs: dueMs,
    onValue: (_, value, { nowMs }) => ({ state: { numbers: [], values: [value], dueMs: nowMs + dueMs }, emits: [] }),
    onTimer: ({ values }) => ({ state: undefined, emits: values })
  }
}
