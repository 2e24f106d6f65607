import type { Serde } from '../../serde/serde.ts'
import type { AggregateCallback, MergeCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { AggregateOptions, WindowedAggregateOptions } from '../options.ts'
import { addAggregation } from './aggregation.ts'
import type { GroupedPoint } from './group-by-key.ts'
import type { WindowedPoint } from './windowed-by.ts'

/** Grouped streams that go into one aggregate, each with its adder. */
export interface CogroupedPoint {
  readonly inputs: readonly { readonly grouped: GroupedPoint; readonly adder: AggregateCallback }[]
}

/** How the records of a cogroup are divided, and what becomes of late ones. */
export type CogroupedWindows = Pick<WindowedPoint, 'window' | 'late'>

/** Adds a grouped stream. No step of its own: the aggregation reads all of them, and repartitions those whose key was changed. */
export function cogroup(on: CogroupedPoint, grouped: GroupedPoint, adder: AggregateCallback): CogroupedPoint {
  return { inputs: [...on.inputs, { grouped, adder }] }
}

/** Folds the values of several grouped streams into one aggregate per key, or per key and window. */
export function aggregateCogroup(
  { inputs }: CogroupedPoint,
  fold: { readonly initial: () => unknown; readonly merger?: MergeCallback; readonly windows?: CogroupedWindows },
  options: (AggregateOptions | WindowedAggregateOptions) & { readonly value: Serde<unknown> }
): Point {
  const { initial, merger, windows } = fold
  const adders = inputs.map(
    ({ adder }): AggregateCallback =>
      (folded, next, record) =>
        adder(next, folded, record)
  )
  const aggregation = {
    kind: 'aggregate',
    initial,
    add: adders[0],
    adders,
    ...(merger && { merge: merger })
  } as const
  const [{ grouped: first }, ...others] = inputs.map((input) => input)
  const on = { ...first, others: others.map(({ grouped }) => grouped) }
  return addAggregation(windows === undefined ? on : { ...on, ...windows }, { ...options, aggregation })
}
