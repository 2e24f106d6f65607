import type { TableTransformValuesNode } from '../graph/transform-node.ts'
import type { Forward, Processor } from './processor.ts'
import { windowExpiry } from './program-windows.ts'
import { changeOf, tableOutput } from './table-output.ts'
import type { ViewingContext } from './table-view.ts'

/**
 * A value from each value, by a program's transformer. It is shown deletions. Where old values are wanted and the result is not kept, it is called for
 * the new value and then for the old one, with its stores as the first call left them, as in Kafka Streams.
 */
export function tableTransformValuesProcessor(
  node: TableTransformValuesNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const { sendsOld, store } = node
  const transformer = context.transformers(node)
  const output = tableOutput(node, context, forward)
  const expire = windowExpiry(node, context)
  const transformsOld = sendsOld && store === undefined
  return {
    ...((output.flush || expire) && {
      flush: () => {
        expire?.()
        output.flush?.()
      }
    }),
    process: (record) => {
      const { key, timestamp, origin } = record
      const { newValue, oldValue, isLatest } = changeOf(record)
      const row = { key, timestamp }
      const newRow = transformer.transform(newValue, row, origin)
      const oldRow = transformsOld ? transformer.transform(oldValue, row, origin) : undefined
      output.update(record, { newValue: newRow, oldValue: oldRow, timestamp, isLatest })
    },
    close: () => transformer.close()
  }
}
