import { UsageError } from '@millrace/log'
import type { Serde } from '../../serde/serde.ts'
import type { PartitionCallback } from '../callback.ts'
import type { Point } from '../draft.ts'

/** Sends every record through an internal topic, so that it is where its key says. Null keys end there, unless a left or outer join of a stream below takes them. */
export function repartition(
  point: Point,
  options: {
    readonly name?: string
    readonly partitions?: number
    readonly partitioner?: PartitionCallback
    readonly key?: Serde<unknown>
    readonly value?: Serde<unknown>
  }
): Point {
  const { draft } = point
  const { name, partitions, partitioner, key = point.key, value = point.value } = options
  if (partitions !== undefined && !(Number.isSafeInteger(partitions) && partitions > 0)) {
    throw new UsageError(
      `topology '${draft.topology}': repartition to ${partitions} partitions: give a whole number from 1 up`
    )
  }
  const step = draft.add({
    verb: 'repartition',
    label: name,
    parents: [point.step],
    body: {
      kind: 'repartition',
      explicit: true,
      keepsNullKeys: false,
      key,
      value,
      ...(partitions === undefined ? {} : { partitions }),
      ...(partitioner === undefined ? {} : { partitioner })
    }
  })
  return { draft, step, key, value }
}
