import type { TableCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { keptResult, type TableStepOptions } from './table-step.ts'

/** The rows of a table that a predicate holds for, or with `not` those it does not; the others are deleted below. */
export function tableFilter(
  point: Point,
  { fn, not }: { readonly fn: TableCallback<boolean>; readonly not: boolean },
  options: TableStepOptions
): Point {
  const step = point.draft.add({
    verb: not ? 'filterNot' : 'filter',
    label: options.name,
    parents: [point.step],
    body: { kind: 'table-filter', fn, not, ...keptResult(point, options) }
  })
  return { ...point, step }
}
