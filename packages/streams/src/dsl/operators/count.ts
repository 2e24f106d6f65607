import { long } from '../../serde/long.ts'
import type { Point } from '../draft.ts'
import type { AggregateOptions, WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'

/** The number of records per key, or per key and window, as Kafka's Long. Without windows, records with a null value do not count. */
export function count(on: GroupedPoint, options: AggregateOptions | WindowedAggregateOptions): Point {
  const aggregation = { kind: 'count', initial: () => 0, add: (counted: unknown) => Number(counted) + 1 } as const
  return addAggregation(on, { ...options, aggregation, value: long() })
}
