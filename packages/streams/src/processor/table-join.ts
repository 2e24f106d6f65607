import type { TableJoinNode } from '../graph/join-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { changeOf, tableOutput } from './table-output.ts'
import type { TableView, ViewingContext } from './table-view.ts'

/**
 * Two tables by equal keys: a change of either side is joined with the other side's row as it is now; where what the result was goes on too, with the row
 * that was sent last, so that what is taken away later is what was given. The result's time is the later of the two. Nothing is sent where there was
 * no result and is none; changes of a versioned table that are not the latest are dropped and counted.
 */
export function tableJoinProcessor(node: TableJoinNode, context: ViewingContext, forward: Forward): Processor {
  const output = tableOutput(node, context, forward, 'given')
  const dropped = context.dropCounter(node.name)
  const saysOld = node.sendsOld && (node.store === undefined || node.emit === 'changes')
  const [left, right] = node.parents.map(saysOld ? context.sentViews : context.views)
  const leftRequired = node.join !== 'outer'
  const side = (
    other: TableView,
    of: { readonly needed: boolean; readonly otherNeeded: boolean; readonly isLeft: boolean }
  ): Forward => {
    return (record) => {
      const { key } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      const { newValue, oldValue, isLatest } = changeOf(record)
      if (!isLatest) return dropped.add('late')
      const row = other.get(key, record.origin)
      const otherValue = row?.value
      if (otherValue === undefined && (of.otherNeeded || (newValue === undefined && oldValue === undefined))) return
      /** A result needs this side where it is a required one, and at least one side in any case. */
      const exists = (value: unknown) => value !== undefined || (!of.needed && otherValue !== undefined)
      const join = (value: unknown): unknown => {
        if (!exists(value)) return undefined
        const [one, two] = of.isLeft ? [value, otherValue] : [otherValue, value]
        return joined(node, record, [one ?? null, two ?? null])
      }
      const joinedNew = join(newValue)
      const joinedOld = node.sendsOld ? join(oldValue) : undefined
      const timestamp = Math.max(record.timestamp, row?.timestamp ?? record.timestamp)
      output.update(record, { newValue: joinedNew, oldValue: joinedOld, timestamp, isLatest })
    }
  }
  const fromLeft = side(right, { needed: leftRequired, otherNeeded: node.join === 'inner', isLeft: true })
  const fromRight = side(left, { needed: node.join === 'inner', otherNeeded: leftRequired, isLeft: false })
  return { process: fromLeft, inputs: [fromLeft, fromRight], ...(output.flush && { flush: output.flush }) }
}

function joined(node: TableJoinNode, record: StreamRecord, [left, right]: readonly [unknown, unknown]): unknown {
  try {
    return node.fn(left, right, { key: record.key }) ?? undefined
  } catch (cause) {
    throw new ProcessingError(node.name, record.origin, cause)
  }
}
