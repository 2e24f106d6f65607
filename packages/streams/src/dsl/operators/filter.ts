import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'
import { addStateless } from './stateless.ts'

/** Keeps the records for which `predicate` is true. It sees null keys and values too. */
export function filter(point: Point, predicate: Callback<boolean>, { name }: StepOptions): Point {
  return addStateless(point, { verb: 'filter', name, operator: { kind: 'filter', not: false, fn: predicate } })
}
