import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'

/**
 * The records of both streams, each in its own order and in none between them. Later steps write with this stream's serdes, or where it
 * knows none, the other's. The key counts as changed when it was changed on either side.
 */
export function merge(point: Point, other: Point, { name }: StepOptions): Point {
  const { draft } = point
  const step = draft.add({ verb: 'merge', label: name, parents: [point.step, other.step], body: { kind: 'merge' } })
  return { draft, step, key: point.key ?? other.key, value: point.value ?? other.value }
}
