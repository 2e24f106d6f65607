import { UsageError } from '@millrace/log'
import { durationMs } from '../../graph/duration.ts'
import type { Serde } from '../../serde/serde.ts'
import type { AsyncCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { MapAsyncOptions } from '../map-async-options.ts'

const DEFAULT_CONCURRENCY = 16

/** Replaces each value by what an asynchronous function brings; the key stays. */
export function mapAsync(
  point: Point,
  fn: AsyncCallback,
  options: MapAsyncOptions & { readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): Point {
  const { draft } = point
  const { name, order = 'partition', concurrency = DEFAULT_CONCURRENCY, timeout = '10s', retry, value } = options
  const key = options.key ?? point.key
  atLeastOne(draft.topology, 'concurrency', concurrency)
  const maxAttempts = retry?.maxAttempts ?? 1
  atLeastOne(draft.topology, 'retry.maxAttempts', maxAttempts)
  const step = draft.add({
    verb: 'mapAsync',
    label: name,
    parents: [point.step],
    body: {
      kind: 'map-async',
      fn,
      order,
      concurrency,
      timeoutMs: durationMs('timeout', timeout, { leastMs: 1 }),
      retry: {
        maxAttempts,
        backoffMs: durationMs('backoff', retry?.backoff ?? '100ms', { leastMs: 1 }),
        maxBackoffMs: durationMs('maxBackoff', retry?.maxBackoff ?? '10s', { leastMs: 1 }),
        ...(retry?.when && { when: retry.when })
      },
      ...(order === 'key' && key !== undefined && { key })
    }
  })
  return { draft, step, key, value }
}

function atLeastOne(topology: string, option: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return
  throw new UsageError(`topology '${topology}': mapAsync: ${option} is ${value}, but must be a whole number from 1 on`)
}
