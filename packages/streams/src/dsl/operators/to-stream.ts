import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'

/** A table's updates as a stream: each new value, null for a deleted key. */
export function toStream(point: Point, { name }: StepOptions): Point {
  const { draft, key, value } = point
  const step = draft.add({ verb: 'toStream', label: name, parents: [point.step], body: { kind: 'table-to-stream' } })
  return { draft, step, key, value }
}
