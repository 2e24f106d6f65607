import type { TableNode } from '../graph/table-node.ts'
import { expiringTableProcessor } from './expiring-table.ts'
import type { Forward, Processor } from './processor.ts'
import { tableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'
import { versionedTableProcessor } from './versioned-table.ts'

/**
 * The latest record of every key; a null value deletes. Null keys are dropped and counted. What came last counts, not what is newest: an
 * older record replaces a newer one, unless the table is versioned.
 */
export function tableProcessor(node: TableNode, context: ProcessorContext, forward: Forward): Processor {
  const { historyMs, store } = node
  if (historyMs !== undefined && store !== undefined) {
    return versionedTableProcessor({ ...node, historyMs, store }, context, forward)
  }
  if (node.ttlMs !== undefined && store !== undefined) {
    return expiringTableProcessor({ ...node, ttlMs: node.ttlMs, store }, context, forward)
  }
  const output = tableOutput(node, context, forward)
  const dropped = context.dropCounter(node.name)
  return {
    ...(output.flush && { flush: output.flush }),
    process: (record) => {
      const { key, timestamp } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      const newValue = record.value ?? undefined
      output.update(record, { newValue, oldValue: undefined, timestamp, isLatest: true })
    }
  }
}
