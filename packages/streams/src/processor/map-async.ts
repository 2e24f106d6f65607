import type { MapAsyncNode } from '../graph/map-async-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { identityOf, type KeyIdentity } from '../state/store-entry.ts'
import { RunningCall } from './async-call.ts'
import { AsyncWindow } from './async-window.ts'
import { KeyOrder, PartitionOrder } from './call-order.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Replaces each value by what a function brings in its own time. A record is taken, and the task goes on with the next; when the function is done, and
 * the order allows it, the result runs through everything below with the key, timestamp, headers and origin of its record.
 *
 * A commit waits, in the flush, until nothing is under way (decision 0017): so what it covers is done, its results are in the same transaction, and after
 * a crash the records whose results are not committed are read again.
 */
export function mapAsyncProcessor(node: MapAsyncNode, context: ProcessorContext, forward: Forward): Processor {
  const { name, fn, concurrency, timeoutMs, retry } = node
  const host = context.asynchronous
  const window = new AsyncWindow(
    {
      concurrency,
      order: node.order === 'key' ? new KeyOrder() : new PartitionOrder(),
      keyOf: keyReader(node),
      begin: (record, ended) =>
        RunningCall.begin({
          environment: host.environment,
          timeoutMs,
          retry,
          run: (call) => fn(record.value, record, call),
          ended
        }),
      finish: (record, outcome) => {
        if ('error' in outcome) throw new ProcessingError(name, record.origin, outcome.error)
        forward(record.withValue(outcome.value))
      }
    },
    host
  )
  context.stage(window)
  host.join(window)
  return {
    process: (record) => window.take(record),
    flush: () => {
      window.admit()
      return window.inFlight > 0 ? window.drain() : undefined
    },
    close: () => window.close()
  }
}

function keyReader({ name, order, key: serde }: MapAsyncNode): (record: StreamRecord) => KeyIdentity | undefined {
  if (order === 'partition' || serde === undefined) return () => undefined
  const identity = identityOf(serde)
  return ({ key, origin }) => {
    try {
      return key === null || key === undefined ? undefined : identity(key)
    } catch (cause) {
      throw new ProcessingError(name, origin, cause)
    }
  }
}
