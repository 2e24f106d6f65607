import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'
import { addStateless } from './stateless.ts'

/** Drops the records for which `predicate` is true. It sees null keys and values too. */
export function filterNot(point: Point, predicate: Callback<boolean>, { name }: StepOptions): Point {
  return addStateless(point, { verb: 'filterNot', name, operator: { kind: 'filter', not: true, fn: predicate } })
}
