import { UsageError } from '@millrace/log'
import type { RepartitionNode, SinkNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { RoutedSinkNode } from '../graph/routed-sink-node.ts'
import { Scratch } from '../serde/scratch.ts'
import type { Serde } from '../serde/serde.ts'
import { ProcessingError } from './errors.ts'
import type { Forward } from './processor.ts'
import type { RecordCollector } from './record-collector.ts'
import type { ProcessorContext } from './task-context.ts'

/** Encodes and sends to a topic. */
export function sinkProcessor(node: SinkNode, context: ProcessorContext): Forward {
  const send = sender(node, context.collector)
  return (record) => send(record, node.topic)
}

/**
 * Encodes and sends each record to the topic that the program says. A topic that is new to the task is looked up first: the record waits for that,
 * and fails if there is none.
 */
export function routedSinkProcessor(node: RoutedSinkNode, context: ProcessorContext): Forward {
  const { collector, wait } = context
  const send = sender(node, collector)
  return (record) => {
    let topic: string
    try {
      topic = node.route(record.value, record)
    } catch (cause) {
      throw new ProcessingError(node.name, record.origin, cause)
    }
    const lookup = collector.lookUp(topic)
    if (lookup === undefined) return send(record, topic)
    const sent = lookup.then(
      () => send(record, topic),
      (cause) => {
        throw new ProcessingError(node.name, record.origin, cause)
      }
    )
    wait(sent)
  }
}

/**
 * Encodes and sends to an internal topic, from which another sub-topology goes on. Null keys are dropped and counted where no step below has a use
 * for them.
 */
export function repartitionProcessor(node: RepartitionNode, context: ProcessorContext): Forward {
  const topic = context.internalTopic(node.topic)
  const write = sender(node, context.collector)
  const send: Forward = (record) => write(record, topic)
  if (node.keepsNullKeys) return send
  const dropped = context.dropCounter(node.name)
  return (record) => (record.key === null || record.key === undefined ? dropped.add('null-key') : send(record))
}

const keyScratch = new Scratch()
const valueScratch = new Scratch()

interface Destination {
  readonly name: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  readonly partitioner?: NonNullable<SinkNode['partitioner']>
}

/** Encodes and sends to the topic it is given. */
export function sender(
  destination: Destination,
  collector: RecordCollector
): (record: StreamRecord, topic: string) => void {
  const { name, key, value, partitioner } = destination
  return (record, topic) => {
    let keyBytes: Buffer | null
    let valueBytes: Buffer | null
    let chosen: readonly number[] | undefined
    const partitions = partitioner === undefined ? 0 : collector.partitionCount(topic)
    try {
      keyBytes = encoded(keyScratch, key, record.key)
      valueBytes = encoded(valueScratch, value, record.value)
      if (partitioner) chosen = checked(partitioner(record.key, record.value, partitions), { topic, partitions })
    } catch (cause) {
      throw new ProcessingError(name, record.origin, cause)
    }
    const { timestamp, headers } = record
    if (chosen === undefined) {
      collector.send({ topic, partition: undefined, key: keyBytes, value: valueBytes, timestamp, headers })
      return
    }
    for (const partition of chosen) {
      collector.send({ topic, partition, key: keyBytes, value: valueBytes, timestamp, headers })
    }
  }
}

/** @throws UsageError when a partitioner chose a partition that is not there. */
function checked(
  chosen: number | readonly number[] | undefined,
  { topic, partitions }: { readonly topic: string; readonly partitions: number }
): readonly number[] {
  const all = typeof chosen === 'number' ? [chosen] : [...new Set(chosen)]
  const wrong = all.find((partition) => !(Number.isInteger(partition) && partition >= 0 && partition < partitions))
  if (wrong === undefined) return all
  throw new UsageError(`the partitioner chose partition ${wrong} of ${topic}, which has ${partitions}`)
}

function encoded(scratch: Scratch, serde: Serde<unknown>, value: unknown): Buffer | null {
  return value === null || value === undefined ? null : scratch.encode(serde, value)
}
