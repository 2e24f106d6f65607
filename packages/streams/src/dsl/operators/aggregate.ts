import type { Serde } from '../../serde/serde.ts'
import type { AggregateCallback, MergeCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { requireFunction } from '../mistakes.ts'
import type { AggregateOptions, WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'

/**
 * Folds the values of a key, or of a key and window, into an aggregate of another type. `initial` makes the aggregate of a key without one;
 * `adder` gets the new value, the aggregate so far and the record. Null deletes the key, and the next record begins anew. `merger` makes one
 * aggregate of those of two sessions.
 */
export function aggregate(
  on: GroupedPoint,
  fold: { readonly initial: () => unknown; readonly adder: AggregateCallback; readonly merger?: MergeCallback },
  options: (AggregateOptions | WindowedAggregateOptions) & { readonly value: Serde<unknown> }
): Point {
  requireFunction(`topology '${on.point.draft.topology}': aggregate`, fold.adder)
  const add: AggregateCallback = (folded, next, record) => fold.adder(next, folded, record)
  const { initial, merger } = fold
  return addAggregation(on, {
    ...options,
    aggregation: { kind: 'aggregate', initial, add, ...(merger && { merge: merger }) }
  })
}
