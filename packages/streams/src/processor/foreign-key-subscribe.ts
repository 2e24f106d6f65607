import type { ForeignKeySubscribeNode } from '../graph/join-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { Instruction, Subscription } from '../serde/foreign-key.ts'
import { hash128 } from '../serde/hash128.ts'
import { Scratch } from '../serde/scratch.ts'
import { identityOf } from '../state/store-entry.ts'
import { ProcessingError } from './errors.ts'
import type { Forward } from './processor.ts'
import { changeOf } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

const scratch = new Scratch()

/**
 * Tells the right table what a left row wants: it unsubscribes from the foreign key it had and subscribes to the one it has. What must be answered
 * even where there is no right row is what may have to delete a result. A null foreign key is counted; in a left join it is answered like a
 * key without a row. Changes that are not the latest of a versioned table are dropped and counted.
 */
export function foreignKeySubscribe(
  node: ForeignKeySubscribeNode,
  context: ProcessorContext,
  forward: Forward
): Forward {
  const identity = identityOf(node.foreign)
  const dropped = context.dropCounter(node.name)
  const keyOf = (record: StreamRecord, value: unknown): unknown => {
    if (value === undefined) return null
    try {
      return node.foreignKey(value, { key: record.key }) ?? null
    } catch (cause) {
      throw new ProcessingError(node.name, record.origin, cause)
    }
  }
  return (record) => {
    const { newValue, oldValue, isLatest } = changeOf(record)
    if (!isLatest) return dropped.add('late')
    const oldKey = keyOf(record, oldValue)
    const newKey = keyOf(record, newValue)
    const hash = newValue === undefined ? null : hash128(scratch.encode(node.left, newValue))
    const partition = context.partition ?? record.origin.partition
    const send = (foreignKey: unknown, instruction: Instruction): void => {
      const subscription = new Subscription({ instruction, hash, partition, primaryKey: record.key })
      forward(record.with(foreignKey, subscription, record.timestamp))
    }
    const changed = oldKey !== null && (newKey === null || identity(newKey) !== identity(oldKey))
    if (node.join === 'left') {
      if (newValue === undefined && oldValue === undefined) return
      if (changed) send(oldKey, Instruction.unsubscribe)
      send(newKey, Instruction.answer)
    } else if (newKey === null) {
      if (newValue !== undefined) dropped.add('null-key')
      if (oldKey !== null) send(oldKey, Instruction.unsubscribeAndAnswer)
    } else {
      if (changed) send(oldKey, Instruction.unsubscribe)
      send(newKey, changed ? Instruction.answer : Instruction.answerIfPresent)
    }
  }
}
