import { partitionForKey } from '@millrace/log'
import type { Serde } from '../../serde/serde.ts'
import { isWindowedSerde, Windowed } from '../../serde/windowed.ts'
import type { Callback, SinkPartitionCallback } from '../callback.ts'
import type { Point } from '../draft.ts'

/** Writes each record to a topic, or to the one that a function says, in the transaction that commits its input. The topic must exist. */
export function to(
  point: Point,
  topic: string | Callback<string>,
  options: {
    readonly name?: string
    readonly key?: Serde<unknown>
    readonly value?: Serde<unknown>
    readonly partitioner?: SinkPartitionCallback
    readonly feedback?: boolean
  }
): void {
  const { name, key = point.key, value = point.value, feedback = false } = options
  const partitioner = options.partitioner ?? windowedPartitioner(key)
  const body = { key, value, ...(partitioner === undefined ? {} : { partitioner }) }
  point.draft.add({
    verb: 'to',
    label: name,
    parents: [point.step],
    body:
      typeof topic === 'string'
        ? { kind: 'sink', topic, feedback, ...body }
        : { kind: 'routed-sink', route: topic, ...body }
  })
}

/** All windows of a key go where the key goes, as Kafka's WindowedStreamPartitioner has it. */
function windowedPartitioner(serde: Serde<unknown> | undefined): SinkPartitionCallback | undefined {
  if (serde === undefined || !isWindowedSerde(serde)) return undefined
  return (key, _value, partitions) => {
    // Only a topic that others write to has windowed keys that are null: any one partition will do for them.
    return key instanceof Windowed ? partitionForKey(serde.inner.encode(key.key), partitions) : 0
  }
}
