import type { TableMapValuesNode } from '../graph/table-node.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { changeOf, tableOutput } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

/** A value from each value; the function does not see deletions, and deletes by returning null. */
export function tableMapValuesProcessor(
  node: TableMapValuesNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { fn, sendsOld, store } = node
  const output = tableOutput(node, context, forward)
  const mapsOld = sendsOld && store === undefined
  return {
    ...(output.flush && { flush: output.flush }),
    process: (record) => {
      const { newValue, oldValue, isLatest } = changeOf(record)
      const row = { key: record.key }
      const mapped = (value: unknown): unknown => {
        if (value === undefined) return undefined
        try {
          return fn(value, row) ?? undefined
        } catch (cause) {
          throw new ProcessingError(node.name, record.origin, cause)
        }
      }
      const newRow = mapped(newValue)
      const oldRow = mapsOld ? mapped(oldValue) : undefined
      output.update(record, { newValue: newRow, oldValue: oldRow, timestamp: record.timestamp, isLatest })
    }
  }
}
