import type { Aggregation } from '../graph/node.ts'
import { Windowed } from '../serde/windowed.ts'
import { Change, type Forward } from './processor.ts'

/**
 * Freezes a value and all that it holds, so that a callback that changes what it was given fails where it does so. Bytes cannot be frozen
 * and are left as they are.
 */
export function deepFreeze(value: unknown): void {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value) || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const held of Object.values(value)) deepFreeze(held)
}

/** Shows keys and values to `inspect` before the next node gets them. */
export function inspected(inspect: (value: unknown) => void, forward: Forward): Forward {
  return (record) => {
    inspect(record.key instanceof Windowed ? record.key.key : record.key)
    if (record.value instanceof Change) {
      inspect(record.value.newValue)
      inspect(record.value.oldValue)
    } else inspect(record.value)
    forward(record)
  }
}

/** Shows every aggregate to `inspect` before it is kept: the aggregator gets it back with the next record. */
export function inspectedAggregation(inspect: (value: unknown) => void, aggregation: Aggregation): Aggregation {
  const { kind, initial, add, adders, merge } = aggregation
  const shown = (value: unknown): unknown => {
    inspect(value)
    return value
  }
  return {
    kind,
    ...(initial && { initial: () => shown(initial()) }),
    add: (aggregate, value, record) => shown(add(aggregate, value, record)),
    ...(adders && {
      adders: adders.map(
        (each): Aggregation['add'] =>
          (aggregate, value, record) =>
            shown(each(aggregate, value, record))
      )
    }),
    ...(merge && { merge: (left, right, record) => shown(merge(left, right, record)) })
  }
}
