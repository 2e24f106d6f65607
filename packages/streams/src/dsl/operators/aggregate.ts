import type { Serde } from '../../serde/serde.ts'
import type { AggregateCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'

/**
 * Folds the values of a key, or of a key and window, into an aggregate of another type. `initial` makes the aggregate of a key without one;
 * `adder` gets the new value, the aggregate so far and the record. Null deletes the key, and the next record begins anew.
 */
export function aggregate(
  on: GroupedPoint,
  fold: { readonly initial: () => unknown; readonly adder: AggregateCallback },
  options: WindowedAggregateOptions & { readonly value: Serde<unknown> }
): Point {
  const add: AggregateCallback = (folded, next, record) => fold.adder(next, folded, record)
  return addAggregation(on, { ...options, aggregation: { kind: 'aggregate', initial: fold.initial, add } })
}
