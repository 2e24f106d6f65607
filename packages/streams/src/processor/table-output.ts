import type { StreamRecord } from '../graph/record.ts'
import type { TableNodeBase } from '../graph/table-node.ts'
import { flushUpdates } from './flush-updates.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'
import { versionedOutput } from './versioned-table.ts'

/** A row as it is from now on. */
export interface RowUpdate {
  /** Undefined: the row is gone. */
  readonly newValue: unknown
  readonly timestamp: number
  /** What is known of the row before, for a table that is not kept: one that is knows by itself, unless it is told to say what is given. */
  readonly oldValue: unknown
  readonly isLatest: boolean
}

/** The way out of a node that makes a table. */
export interface TableOutput {
  /** Keeps the row if the table is kept, and sends the change on, now or at the commit. The record's key is not null. */
  readonly update: (record: StreamRecord, row: RowUpdate) => void
  /** The row's value as it is kept; absent where the table is not kept. */
  readonly kept?: (key: unknown) => unknown
  readonly flush?: () => void
}

/**
 * The way out of a table: kept, its old values come from the store, and with emit `commit` a key's last change goes on at the commit; not
 * kept, every change goes on at once with the old value that came.
 *
 * @param oldValues `given`: with emit `changes` the old value that came goes on even where the table is kept. A join's is what it was with the other
 *   side as it is now, kept or not, as in Kafka Streams.
 */
export function tableOutput(
  node: TableNodeBase,
  context: ProcessorContext,
  forward: Forward,
  oldValues: 'kept' | 'given' = 'kept'
): TableOutput {
  if (node.store === undefined) {
    return {
      update: (record, { newValue, oldValue, timestamp, isLatest }) =>
        forward(record.with(record.key, new Change(newValue, oldValue, isLatest), timestamp))
    }
  }
  const stored = { name: node.name, store: node.store }
  const { historyMs } = node
  if (historyMs !== undefined) return versionedOutput({ ...node, ...stored, historyMs }, context, forward)
  const store = context.stores.keyValue(node.store.name)
  const kept = (key: unknown) => store.get(key)?.value
  if (node.emit === 'changes') {
    return {
      kept,
      update: (record, { newValue, oldValue: given, timestamp }) => {
        const { key } = record
        const oldValue = oldValues === 'given' ? given : store.get(key)?.value
        store.put(key, newValue ?? null, timestamp)
        forward(record.with(key, new Change(newValue, oldValue), timestamp))
      }
    }
  }
  const pending = new PendingUpdates()
  context.stage(pending)
  return {
    kept,
    update: ({ key }, { newValue, timestamp }) => {
      const oldValue = store.get(key)?.value
      pending.note(store.put(key, newValue ?? null, timestamp), oldValue)
    },
    flush: flushUpdates(stored, { pending, context, forward, deletesUnseen: true })
  }
}

/** A table's change in a record; a record of a stream counts as a change to its value, with nothing known of what was before. */
export function changeOf({ value }: StreamRecord): Change {
  return value instanceof Change ? value : new Change(value ?? undefined, undefined)
}
