import type { TableAggregateNode } from '../graph/table-node.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { changeOf, tableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Count, reduce or aggregate over a table's rows: what a row was is subtracted first, then what it is is added. The result's time is the
 * greatest that went into it; a null result deletes the key, and the next row begins anew.
 */
export function tableAggregateProcessor(
  node: TableAggregateNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { initial, add, subtract } = node.aggregation
  const store = context.stores.keyValue(node.store.name)
  const output = tableOutput(node, context, forward)
  const dropped = context.dropCounter(node.name)
  return {
    ...(output.flush && { flush: output.flush }),
    process: (record) => {
      const { key } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      const { newValue, oldValue } = changeOf(record)
      const row = { key }
      const before = store.get(key)
      let aggregate = before?.value
      try {
        if (oldValue !== undefined && before !== undefined) aggregate = subtract(aggregate, oldValue, row) ?? undefined
        if (newValue !== undefined) {
          const begun = aggregate ?? initial?.()
          aggregate = begun === undefined ? newValue : (add(begun, newValue, row) ?? undefined)
        }
      } catch (cause) {
        throw new ProcessingError(node.name, record.origin, cause)
      }
      const timestamp = Math.max(record.timestamp, before?.timestamp ?? record.timestamp)
      output.update(record, { newValue: aggregate, oldValue: before?.value, timestamp, isLatest: true })
    }
  }
}
