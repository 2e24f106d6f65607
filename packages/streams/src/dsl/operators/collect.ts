import type { Serde } from '../../serde/serde.ts'
import type { Folding, Reducing } from '../collectors.ts'
import type { Point } from '../draft.ts'
import { requireOptions } from '../mistakes.ts'
import type { AggregateOptions, WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'
import { tableMapValues } from './table-map-values.ts'

/** A collector, its types laid down. */
export type AnyCollector = Reducing<unknown> | Folding<unknown, unknown>

/** Aggregates by a collector: one of the values is kept, or something of which the result is a view. Null values change nothing. */
export function collect(
  on: GroupedPoint,
  collector: AnyCollector,
  given: (AggregateOptions | WindowedAggregateOptions) & { readonly value?: Serde<unknown> }
): Point {
  const { value = on.point.value, ...options } = given
  requireOptions(collector, `topology '${on.point.draft.topology}': collect`, 'average((value) => value.price)')
  const { verb } = collector
  if ('reduce' in collector) {
    const add = (kept: unknown, next: unknown) => (isNull(next) ? kept : collector.reduce(next, kept))
    return addAggregation(on, { ...options, verb, aggregation: { kind: 'reduce', add }, value })
  }
  const { initial, result } = collector
  const add = (folded: unknown, next: unknown) => (isNull(next) ? folded : collector.add(next, folded))
  const merge = (left: unknown, right: unknown) => collector.merge(left, right)
  const aggregation = { kind: 'aggregate', initial: () => initial(), add, merge } as const
  const table = addAggregation(on, { ...options, verb, aggregation, value: collector.state(value) })
  return result === undefined ? table : tableMapValues(table, (folded) => result(folded), {})
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined
}
