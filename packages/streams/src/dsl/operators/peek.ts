import type { Callback } from '../callback.ts'
import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'
import { addStateless } from './stateless.ts'

/** Shows each record to `observer` and passes it on. A side effect: it happens again when a record is processed again after a crash. */
export function peek(point: Point, observer: Callback<void>, { name }: StepOptions): Point {
  return addStateless(point, { verb: 'peek', name, operator: { kind: 'peek', fn: observer } })
}
