import type { Serde } from '../../serde/serde.ts'
import type { AggregateCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { requireFunction } from '../mistakes.ts'
import type { AggregateOptions, WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'

/**
 * Combines the values of a key, or of a key and window, two by two. The first value begins as it is; from then on `reducer` gets the new
 * value, the result so far and the record. Null deletes the key.
 */
export function reduce(
  on: GroupedPoint,
  reducer: AggregateCallback,
  {
    value = on.point.value,
    ...options
  }: (AggregateOptions | WindowedAggregateOptions) & { readonly value?: Serde<unknown> }
): Point {
  requireFunction(`topology '${on.point.draft.topology}': reduce`, reducer)
  const add: AggregateCallback = (reduced, next, record) => reducer(next, reduced, record)
  return addAggregation(on, { ...options, aggregation: { kind: 'reduce', add }, value })
}
