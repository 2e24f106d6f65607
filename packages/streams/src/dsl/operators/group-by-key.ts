import type { KeyedInput } from '../../graph/step.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'

/** A stream ready to be aggregated per key. No step of its own: the aggregation repartitions if the key was changed. */
export interface GroupedPoint {
  readonly point: Point
  readonly keyed: KeyedInput
  /** Of a cogroup: the streams beside the first. */
  readonly others?: readonly GroupedPoint[]
}

/** Groups records by the key they have. Where the key was changed before, a repartition precedes the aggregation and drops null keys. */
export function groupByKey(
  point: Point,
  {
    name,
    key = point.key,
    value = point.value
  }: { readonly name?: string; readonly key?: Serde<unknown>; readonly value?: Serde<unknown> }
): GroupedPoint {
  return { point: { ...point, key, value }, keyed: { name, key, value } }
}
