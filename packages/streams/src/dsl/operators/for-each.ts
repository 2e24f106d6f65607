import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'
import { addStateless } from './stateless.ts'

/** Shows each record to `fn`, and ends there. */
export function forEach(point: Point, fn: Callback<void>, { name }: StepOptions): void {
  addStateless(point, { verb: 'forEach', name, operator: { kind: 'peek', fn, end: 'forEach' } })
}
