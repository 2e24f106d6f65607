import type { RunningTransformer, TransformContext, TransformedRow } from '../../graph/transform-node.ts'
import type { Point } from '../draft.ts'
import type { StoreHandle } from '../store-handle.ts'
import { givenStores } from './process.ts'
import { keptResult, type TableStepOptions } from './table-step.ts'

/** A program's transformer, its types laid down; written as methods for the reason given at `Callback`. */
export type AnyTransformer =
  | { run(value: unknown, row: TransformedRow, context: TransformContext): unknown }['run']
  | { make(context: TransformContext): RunningTransformer }

/** Replaces each value of a table by what a program's own code makes of it and of its stores; deletions are shown to it too. */
export function tableTransformValues(
  point: Point,
  transformer: AnyTransformer,
  options: TableStepOptions & { readonly stores?: readonly StoreHandle[] }
): Point {
  const changed = { ...point, value: options.value }
  const step = point.draft.add({
    verb: 'transformValues',
    label: options.name,
    parents: [point.step],
    body: {
      kind: 'table-transform-values',
      make: makerOf(transformer),
      ...givenStores(options.stores),
      ...keptResult(changed, options)
    }
  })
  return { ...changed, step }
}

/** A function is a transformer that keeps nothing between values but what is in its stores. */
function makerOf(transformer: AnyTransformer): (context: TransformContext) => RunningTransformer {
  if (typeof transformer === 'object') return (context) => transformer.make(context)
  return (context) => ({ transform: (value, row) => transformer(value, row, context) })
}
