import type { StoreDefinition } from '../graph/node.ts'
import type { TableNode, TableNodeBase } from '../graph/table-node.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { TableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'
import { VersionedRows } from './versioned-rows.ts'

/** A table that keeps versions. */
export type VersionedNode<N extends TableNodeBase = TableNodeBase> = N & {
  readonly historyMs: number
  readonly store: StoreDefinition
}

/** A table that remembers, of a topic or a stream. */
export function versionedTableProcessor(
  node: VersionedNode<TableNode>,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const output = versionedOutput(node, context, forward)
  const dropped = context.dropCounter(node.name)
  return {
    process: (record) => {
      const { key, timestamp } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      output.update(record, { newValue: record.value ?? undefined, oldValue: undefined, timestamp, isLatest: true })
    }
  }
}

/**
 * The way out of a table that remembers. A record that is older than the history, counted back from the newest record of this operator, is dropped and
 * counted as late; one that is older than the newest of its key takes its place in the past, and goes on as not the latest.
 */
export function versionedOutput(node: VersionedNode, context: ProcessorContext, forward: Forward): TableOutput {
  const time = context.operatorTime(node.name)
  context.stage(time)
  const rows = new VersionedRows(context.stores.keyValue(node.store.name), time, node.historyMs)
  const dropped = context.dropCounter(node.name)
  return {
    kept: (key) => rows.latest(key)?.value,
    update: (record, { newValue, timestamp }) => {
      const { key } = record
      const put = rows.put(key, newValue, timestamp)
      if (put === undefined) return dropped.add('late')
      forward(record.with(key, new Change(newValue, put.before?.value, put.isLatest), timestamp))
    }
  }
}
