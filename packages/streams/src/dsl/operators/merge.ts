import type { Point } from '../draft.ts'
import type { StepOptions } from '../options.ts'

/**
 * The records of both streams, each in its own order and in none between them. Later steps write with this stream's serdes, or where it
 * knows none, the other's. The key counts as changed when it was changed on either side. A stream merged with itself stays as it is: each
 * record goes on once, as in Kafka Streams.
 */
export function merge(point: Point, other: Point, { name }: StepOptions): Point {
  const { draft } = point
  const parents = point.step === other.step ? [point.step] : [point.step, other.step]
  const step = draft.add({ verb: 'merge', label: name, parents, body: { kind: 'merge' } })
  return { draft, step, key: point.key ?? other.key, value: point.value ?? other.value }
}
