import type { TableFilterNode } from '../graph/table-node.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { changeOf, tableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * The rows a predicate holds for. A row that does not pass is deleted below; where it is known that it did not pass before either, nothing is
 * sent, and where that is not known, or the table has versions, the deletion is.
 */
export function tableFilterProcessor(node: TableFilterNode, context: ProcessorContext, forward: Forward): Processor {
  const { fn, not, sendsOld, versioned } = node
  const output = tableOutput(node, context, forward)
  const { kept } = output
  return {
    ...(output.flush && { flush: output.flush }),
    process: (record) => {
      const { newValue, oldValue, isLatest } = changeOf(record)
      const row = { key: record.key }
      const passed = (value: unknown): unknown => {
        if (value === undefined) return undefined
        try {
          return Boolean(fn(value, row)) === not ? undefined : value
        } catch (cause) {
          throw new ProcessingError(node.name, record.origin, cause)
        }
      }
      const newRow = passed(newValue)
      let oldRow: unknown
      if (sendsOld) oldRow = kept === undefined ? passed(oldValue) : kept(record.key)
      if (sendsOld && !versioned && newRow === undefined && oldRow === undefined) return
      output.update(record, { newValue: newRow, oldValue: oldRow, timestamp: record.timestamp, isLatest })
    }
  }
}
