import type { ForeignKeyAnswerNode } from '../graph/join-node.ts'
import { Answer, Instruction, Subscription } from '../serde/foreign-key.ts'
import { Subscriptions } from '../state/subscriptions.ts'
import type { Forward, Processor } from './processor.ts'
import { changeOf } from './table-output.ts'
import type { ViewingContext } from './table-view.ts'

/**
 * Keeps the subscriptions to the rows of the right table and answers them: each when it comes, and all of a row's when the row changes, in the
 * order of their keys' bytes.
 */
export function foreignKeyAnswerProcessor(
  node: ForeignKeyAnswerNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const subscriptions = new Subscriptions(context.stores.keyValue(node.store.name))
  const rows = context.views(node.parents[1])
  const dropped = context.dropCounter(node.name)

  const subscribe: Forward = (record) => {
    const { key, value, timestamp } = record
    if (!(value instanceof Subscription)) return dropped.add('null-value')
    const { instruction, primaryKey, hash, partition } = value
    const foreignKey = key ?? null
    if (foreignKey !== null) {
      const foreignBytes = node.foreign.encode(foreignKey)
      const primaryBytes = node.primary.encode(primaryKey)
      const ends = instruction === Instruction.unsubscribe || instruction === Instruction.unsubscribeAndAnswer
      if (ends) subscriptions.remove(foreignBytes, primaryBytes, timestamp)
      else subscriptions.put(foreignBytes, { primaryKey: primaryBytes, hash, partition }, timestamp)
    }
    if (instruction === Instruction.unsubscribe) return
    const row = foreignKey === null ? undefined : rows.get(foreignKey, record.origin)
    if (row === undefined && instruction === Instruction.answerIfPresent) return
    const answered = instruction === Instruction.unsubscribeAndAnswer ? undefined : row?.value
    const answer = new Answer({ hash, partition, value: answered })
    forward(record.with(primaryKey, answer, Math.max(timestamp, row?.timestamp ?? timestamp)))
  }

  const rowChanged: Forward = (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    const { newValue, isLatest } = changeOf(record)
    if (!isLatest) return dropped.add('late')
    for (const { primaryKey, hash, partition } of subscriptions.of(node.foreign.encode(key))) {
      const answer = new Answer({ hash, partition, value: newValue })
      forward(record.with(node.primary.decode(primaryKey, 0, primaryKey.length), answer, timestamp))
    }
  }
  return { process: subscribe, inputs: [subscribe, rowChanged] }
}
