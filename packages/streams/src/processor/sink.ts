import type { RepartitionNode, SinkNode } from '../graph/node.ts'
import type { Serde } from '../serde/serde.ts'
import { ProcessingError } from './errors.ts'
import type { Forward } from './processor.ts'
import type { RecordCollector } from './record-collector.ts'
import type { ProcessorContext } from './task-context.ts'

/** Encodes and sends to a topic. */
export function sinkProcessor(node: SinkNode, context: ProcessorContext): Forward {
  return sender({ ...node, topic: node.topic }, context.collector)
}

/**
 * Encodes and sends to an internal topic, from which another sub-topology goes on. The automatic ones drop (and count) null keys, which
 * no key-based step could use; the explicit ones keep them.
 */
export function repartitionProcessor(node: RepartitionNode, context: ProcessorContext): Forward {
  const send = sender({ ...node, topic: context.internalTopic(node.topic) }, context.collector)
  if (node.explicit) return send
  const dropped = context.dropCounter(node.name)
  return (record) => (record.key === null || record.key === undefined ? dropped.add('null-key') : send(record))
}

interface Destination {
  readonly name: string
  /** Full name. */
  readonly topic: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly partitioner?: (key: unknown, value: unknown, partitions: number) => number
}

function sender(destination: Destination, collector: RecordCollector): Forward {
  const { name, topic, key, value, partitioner } = destination
  return (record) => {
    let keyBytes: Buffer | null
    let valueBytes: Buffer | null
    let partition: number | undefined
    const partitions = partitioner === undefined ? 0 : collector.partitionCount(topic)
    try {
      keyBytes = encoded(key, record.key)
      valueBytes = encoded(value, record.value)
      partition = partitioner?.(record.key, record.value, partitions)
    } catch (cause) {
      throw new ProcessingError(name, record.origin, cause)
    }
    const { timestamp, headers } = record
    collector.send({ topic, partition, key: keyBytes, value: valueBytes, timestamp, headers })
  }
}

function encoded(serde: Serde<unknown>, value: unknown): Buffer | null {
  return value === null || value === undefined ? null : serde.encode(value)
}
