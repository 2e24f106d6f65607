import type { DurableOperator } from '../graph/durable-operator.ts'
import { type Duration, durationMs } from '../graph/duration.ts'
import { refuseUnknownOptions } from '../graph/option-names.ts'
import { wholeCount } from './counts.ts'
import { nextTickMs } from './ticks.ts'

/** Of `bufferTime`. */
export interface BufferTimeOptions {
  /** A list of so many values is emitted at once, and the time begins anew. Default: no limit. */
  readonly maxSize?: number
  /**
   * What becomes of empty lists. `emit` (default) emits them as RxJS does: every `span`, of every key, for ever, however far the time jumps. `skip`
   * emits none, and a key without values costs no time.
   */
  readonly empty?: 'emit' | 'skip'
}

/**
 * Emits a key's values of every `span`, counted from the key's first value, in a list. A value that comes exactly at its end is in it. Each record
 * writes the list anew: give it a `maxSize` where lists may be long.
 */
export function bufferTime<V>(
  span: Duration,
  options: BufferTimeOptions = {}
): DurableOperator<V, readonly V[], 'anew'> {
  refuseUnknownOptions('bufferTime()', options, ['maxSize', 'empty'])
  const { maxSize = Number.POSITIVE_INFINITY, empty = 'emit' } = options
  const spanMs = durationMs('bufferTime(span)', span, { leastMs: 1 })
  if (maxSize !== Number.POSITIVE_INFINITY) wholeCount('bufferTime(span, { maxSize })', maxSize, 1)
  const emptied = (startMs: number) =>
    empty === 'skip' ? { numbers: [startMs], values: [] } : { numbers: [startMs], values: [], dueMs: startMs + spanMs }
  return {
    verb: 'bufferTime',
    writtenAs: 'anew',
    waitsMs: spanMs,
    onValue(state, value, { nowMs }) {
      const startMs = state?.numbers[0] ?? nowMs
      const values = [...(state?.values ?? []), value]
      if (values.length >= maxSize) return { state: emptied(nowMs), emits: [values] }
      const dueMs = state?.dueMs ?? nextTickMs(startMs, spanMs, nowMs)
      return { state: { numbers: [startMs], values, dueMs }, emits: [] }
    },
    onTimer: ({ values }, nowMs) => ({
      state: emptied(nowMs),
      emits: empty === 'skip' && values.length === 0 ? [] : [values]
    })
  }
}
