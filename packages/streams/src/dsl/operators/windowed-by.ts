import type { WindowDefinition } from '../../graph/node.ts'
import type { GroupedPoint } from './group-by-key.ts'

/** A grouped stream with its windows. */
export interface WindowedPoint extends GroupedPoint {
  readonly window: WindowDefinition
}

/** Divides each key's records into windows of event time. No step of its own: the aggregation keeps a result per key and window. */
export function windowedBy(grouped: GroupedPoint, window: WindowDefinition): WindowedPoint {
  return { ...grouped, window }
}
