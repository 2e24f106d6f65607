import type { Aggregation } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Timestamped } from '../state/store.ts'
import { ProcessingError } from './errors.ts'

/** The aggregate that a record makes of the one so far; null when the key is gone. */
export type AggregateStep = (old: Timestamped<unknown> | undefined, record: StreamRecord) => unknown

/** The user's aggregation as one step, which names the node in what it throws. */
export function aggregateStep(node: string, aggregation: Aggregation): AggregateStep {
  if (aggregation.kind === 'count') return (old) => (old === undefined ? 1 : Number(old.value) + 1)
  const { initial, add } = aggregation
  return (old, record) => {
    try {
      if (old !== undefined) return add(old.value, record.value, record)
      return initial === undefined ? record.value : add(initial(), record.value, record)
    } catch (cause) {
      throw new ProcessingError(node, record.origin, cause)
    }
  }
}

/** Event time of a result: the greatest that went into it, from the last time the key began. */
export function resultTimestamp(old: Timestamped<unknown> | undefined, record: StreamRecord): number {
  return old === undefined || record.timestamp > old.timestamp ? record.timestamp : old.timestamp
}
