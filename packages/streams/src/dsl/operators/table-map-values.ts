import type { TableCallback } from '../callback.ts'
import type { Point } from '../draft.ts'
import { keptResult, type TableStepOptions } from './table-step.ts'

/** Replaces each value of a table; deletions stay deletions and are not shown to the function. */
export function tableMapValues(point: Point, fn: TableCallback<unknown>, options: TableStepOptions): Point {
  const changed = { ...point, value: options.value }
  const step = point.draft.add({
    verb: 'mapValues',
    label: options.name,
    parents: [point.step],
    body: { kind: 'table-map-values', fn, ...keptResult(changed, options) }
  })
  return { ...changed, step }
}
