import { InvariantError } from '@millrace/log'
import type { StreamGlobalJoinNode, StreamTableJoinNode } from '../graph/join-node.ts'
import { StreamRecord } from '../graph/record.ts'
import { TimeBuffer } from '../state/time-buffer.ts'
import { ProcessingError } from './errors.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
import type { TableView, ViewingContext } from './table-view.ts'

/**
 * Each record of a stream with the row of its key: as it is now, or in a versioned table as it was at the record's time. Only the stream's
 * records give results, with their own time. A null value is dropped; a null key too, unless the join is a left one, where it has no row.
 *
 * With grace, a record waits until the stream's time is that much past its own, so that late rows are found; results come by time, then key.
 * A record that is older than the grace allows does not wait.
 */
export function streamTableJoinProcessor(
  node: StreamTableJoinNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const table = context.views(node.parents[1])
  const dropped = context.dropCounter(node.name)
  const join = rowJoiner(node, (record) => table.asOf(record.key, record.origin, record.timestamp), forward)
  const { grace } = node
  const waiting = grace === undefined ? undefined : waitingRecords(node, { ...grace, context, join })
  const process: Forward = (record) => {
    const { key, value } = record
    if (value === null || value === undefined) return dropped.add('null-value')
    if (key === null || key === undefined) return node.join === 'left' ? join(record) : dropped.add('null-key')
    return waiting === undefined ? join(record) : waiting(record)
  }
  return { process, inputs: [process, undefined] }
}

/** Each record of a stream with the row of a global table that its mapped key names, as it is now in this instance. */
export function streamGlobalJoinProcessor(
  node: StreamGlobalJoinNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const rows = context.globalTable?.(node.global)
  if (rows === undefined) throw new InvariantError(`global table ${node.global} is not open`)
  const dropped = context.dropCounter(node.name)
  const process: Forward = (record) => {
    const { value } = record
    if (value === null || value === undefined) return dropped.add('null-value')
    const key = guarded(node.name, record, () => node.mappedKey(value, record)) ?? null
    if (key === null && node.join === 'inner') return dropped.add('null-key')
    const row = key === null ? undefined : rows.get(key)?.value
    if (row === undefined && node.join === 'inner') return
    const keys = { key: record.key, mappedKey: key }
    forward(record.withValue(guarded(node.name, record, () => node.fn(value, row ?? null, keys))))
  }
  return { process }
}

function rowJoiner(
  node: StreamTableJoinNode,
  rowOf: (record: StreamRecord) => ReturnType<TableView['get']>,
  forward: Forward
): Forward {
  return (record) => {
    const isNull = record.key === null || record.key === undefined
    const row = isNull ? undefined : rowOf(record)?.value
    if (row === undefined && node.join === 'inner') return
    const { key, value } = record
    forward(record.withValue(guarded(node.name, record, () => node.fn(value, row ?? null, { key }))))
  }
}

function guarded<T>(node: string, { origin }: StreamRecord, compute: () => T): T {
  try {
    return compute()
  } catch (cause) {
    throw new ProcessingError(node, origin, cause)
  }
}

/** Keeps each record back for the grace, and lets those go whose time has come. */
function waitingRecords(
  node: StreamTableJoinNode,
  parts: Required<StreamTableJoinNode>['grace'] & { readonly context: ViewingContext; readonly join: Forward }
): Forward {
  const { graceMs, keys, store, context, join } = parts
  const buffer = new TimeBuffer(context.stores.keyValue(store.name))
  context.stage(buffer)
  const time: OperatorTime = context.operatorTime(node.name)
  context.stage(time)
  return (record) => {
    const { key, value, timestamp, headers } = record
    if (timestamp < time.observedMs - graceMs) join(record)
    else {
      if (timestamp > time.observedMs) time.observedMs = timestamp
      const others = buffer.at(timestamp)
      const bytes = keys.encode(key)
      const at = others.findIndex((other) => Buffer.compare(keys.encode(other.key), bytes) > 0)
      buffer.set(timestamp, others.toSpliced(at < 0 ? others.length : at, 0, { side: 0, key, value, headers }))
    }
    const dueMs = time.observedMs - graceMs
    for (let at = buffer.next(0); at !== undefined && at <= dueMs; at = buffer.next(at)) {
      const due = buffer.at(at)
      buffer.set(at, [])
      for (const one of due) {
        join(new StreamRecord(one.key, one.value, at, one.headers, record.origin))
      }
    }
  }
}
