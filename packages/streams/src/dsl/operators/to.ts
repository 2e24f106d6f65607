import { partitionForKey } from '@millrace/log'
import type { Serde } from '../../serde/serde.ts'
import { isWindowedSerde, Windowed } from '../../serde/windowed.ts'
import type { PartitionCallback } from '../callback.ts'
import type { Point } from '../draft.ts'

/** Writes each record to a topic, in the transaction that commits its input. The topic must exist. */
export function to(
  point: Point,
  topic: string,
  options: {
    readonly name?: string
    readonly key?: Serde<unknown>
    readonly value?: Serde<unknown>
    readonly partitioner?: PartitionCallback
    readonly feedback?: boolean
  }
): void {
  const { name, key = point.key, value = point.value, feedback = false } = options
  const partitioner = options.partitioner ?? windowedPartitioner(key)
  point.draft.add({
    verb: 'to',
    label: name,
    parents: [point.step],
    body: { kind: 'sink', topic, key, value, feedback, ...(partitioner === undefined ? {} : { partitioner }) }
  })
}

/** All windows of a key go where the key goes, as Kafka's WindowedStreamPartitioner has it. */
function windowedPartitioner(serde: Serde<unknown> | undefined): PartitionCallback | undefined {
  if (serde === undefined || !isWindowedSerde(serde)) return undefined
  return (key, _value, partitions) => {
    // Only a topic that others write to has windowed keys that are null: any one partition will do for them.
    return key instanceof Windowed ? partitionForKey(serde.inner.encode(key.key), partitions) : 0
  }
}
