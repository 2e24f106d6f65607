import type { ForeignKeyAnswerNode } from '../graph/join-node.ts'
import { Answer, Instruction, Subscription } from '../serde/foreign-key.ts'
import { keyText } from '../serde/key-text.ts'
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
  const [foreign, primary] = [keyText(node.foreign), keyText(node.primary)]

  const subscribe: Forward = (record) => {
    const { key, value, timestamp } = record
    if (!(value instanceof Subscription)) return dropped.add('null-value')
    const { instruction, primaryKey, hash, partition } = value
    const foreignKey = key ?? null
    if (foreignKey !== null) {
      const ends = instruction === Instruction.unsubscribe || instruction === Instruction.unsubscribeAndAnswer
      if (ends) subscriptions.remove(foreign.to(foreignKey), primary.to(primaryKey), timestamp)
      else subscriptions.put(foreign.to(foreignKey), { primary: primary.to(primaryKey), hash, partition }, timestamp)
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
    for (const subscriber of subscriptions.of(foreign.to(key))) {
      const { hash, partition } = subscriber
      const answer = new Answer({ hash, partition, value: newValue })
      forward(record.with(primary.from(subscriber.primary), answer, timestamp))
    }
  }
  return { process: subscribe, inputs: [subscribe, rowChanged] }
}
