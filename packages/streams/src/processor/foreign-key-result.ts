import type { ForeignKeyResultNode } from '../graph/join-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { Answer, Instruction, Subscription } from '../serde/foreign-key.ts'
import { type Hash128, hash128, sameHash } from '../serde/hash128.ts'
import { Scratch } from '../serde/scratch.ts'
import type { Timestamped } from '../state/store.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { sender } from './sink.ts'
import type { ViewingContext } from './table-view.ts'

const scratch = new Scratch()

/**
 * Joins an answer of the right table with the left row, if that still is what the answer is for: the hashes of its bytes are equal. A stale answer
 * is dropped and counted: the row's newer subscription is answered too. Not so where there is no right row and the subscription only wanted one:
 * a stale answer that would have deleted the result is therefore asked for once more, for the row as it is. (Kafka Streams drops it, and the
 * result of a row that changed at the wrong moment stays.)
 */
export function foreignKeyResultProcessor(
  node: ForeignKeyResultNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const rows = context.views(node.parents[1])
  const dropped = context.dropCounter(node.name)
  const askAgain = node.again && again(node, node.again, context)
  const process: Forward = (record) => {
    const { key, value: answer } = record
    if (!(answer instanceof Answer)) return dropped.add('null-value')
    const row = rows.get(key, record.origin)
    const hash = row === undefined ? null : hash128(scratch.encode(node.left, row.value))
    if (!sameHash(hash, answer.hash)) {
      dropped.add('late')
      if (askAgain === undefined || node.join === 'left' || answer.value !== undefined) return
      if (row !== undefined && hash !== null && askAgain(record, { row, hash })) return
    }
    if (row === undefined || (answer.value === undefined && node.join === 'inner')) {
      return forward(record.withValue(null))
    }
    forward(record.withValue(guarded(node, record, () => node.fn(row.value, answer.value ?? null, { key }))))
  }
  return { process, inputs: [process, undefined] }
}

/** Sends the row's subscription again; false where it has no foreign key, so that no answer could come. */
function again(
  node: ForeignKeyResultNode,
  asked: NonNullable<ForeignKeyResultNode['again']>,
  context: ViewingContext
): (record: StreamRecord, of: { readonly row: Timestamped<unknown>; readonly hash: Hash128 }) => boolean {
  const { foreignKey, foreign, subscription, partitioner } = asked
  const topic = context.internalTopic(asked.topic)
  const serdes = { key: foreign, value: subscription }
  const write = sender({ name: node.name, ...serdes, ...(partitioner && { partitioner }) }, context.collector)
  return (record, { row, hash }) => {
    const { key, timestamp } = record
    const wanted = guarded(node, record, () => foreignKey(row.value, { key })) ?? null
    if (wanted === null) return false
    const partition = context.partition ?? record.origin.partition
    const value = new Subscription({ instruction: Instruction.answer, primaryKey: key, hash, partition })
    write(record.with(wanted, value, Math.max(timestamp, row.timestamp)), topic)
    return true
  }
}

function guarded<T>(node: ForeignKeyResultNode, record: StreamRecord, compute: () => T): T {
  try {
    return compute()
  } catch (cause) {
    throw new ProcessingError(node.name, record.origin, cause)
  }
}
