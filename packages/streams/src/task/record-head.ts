import { UsageError } from '@millrace/log'
import type { SourceNode } from '../graph/node.ts'
import { type RecordOrigin, StreamRecord } from '../graph/record.ts'
import { ProcessingError } from '../processor/errors.ts'
import { DeserializationError } from './errors.ts'
import type { PartitionQueue, RecordView } from './partition-queue.ts'
import type { RecordRun } from './record-run.ts'

/**
 * Makes the queue show its head, if it has one: decodes the next record and extracts its timestamp. Records that fail go to their policy,
 * and records with a negative timestamp are dropped and counted; then the one after is looked at.
 */
export function showHead(queue: PartitionQueue, run: Pick<RecordRun, 'dropCounter' | 'recover'>): void {
  const { node } = queue.source
  for (let view = queue.advance(); view !== undefined; view = queue.advance()) {
    const origin = { topic: queue.topic, partition: queue.partition, offset: view.offset }
    try {
      const record = decode(node, view, origin)
      const stamped = node.timestamp === undefined ? record : stamp(node, record, queue.time.ms)
      if (stamped.timestamp >= 0) {
        queue.head = stamped
        return
      }
      run.dropCounter(node.name).add('negative-timestamp')
    } catch (error) {
      run.recover(error, queue, origin)
    }
    queue.consumed(origin.offset)
  }
}

function decode(node: SourceNode, view: RecordView, origin: RecordOrigin): StreamRecord {
  let part: 'key' | 'value' = 'key'
  try {
    const key = view.keyStart < 0 ? null : node.key.decode(view.buffer, view.keyStart, view.keyEnd)
    part = 'value'
    const value = view.valueStart < 0 ? null : node.value.decode(view.buffer, view.valueStart, view.valueEnd)
    return new StreamRecord(key, value, view.timestamp, view.headers(), origin)
  } catch (cause) {
    throw new DeserializationError({ node: node.name, origin, part }, cause)
  }
}

function stamp(node: SourceNode, record: StreamRecord, partitionTimeMs: number): StreamRecord {
  try {
    const timestamp = node.timestamp?.(record.value, record, partitionTimeMs)
    if (timestamp === undefined || !Number.isSafeInteger(timestamp)) {
      throw new UsageError(`a timestamp must be whole milliseconds since the epoch, not ${String(timestamp)}`)
    }
    // Producers often set the log's timestamp to the event's: then there is nothing to change.
    return timestamp === record.timestamp ? record : record.with(record.key, record.value, timestamp)
  } catch (cause) {
    throw new ProcessingError(node.name, record.origin, cause)
  }
}
