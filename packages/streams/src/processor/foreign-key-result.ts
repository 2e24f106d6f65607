import type { ForeignKeyResultNode } from '../graph/join-node.ts'
import { Answer } from '../serde/foreign-key.ts'
import { hash128 } from '../serde/hash128.ts'
import { ProcessingError } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import type { ViewingContext } from './table-view.ts'

/**
 * Joins an answer of the right table with the left row, if that still is what the answer is for: the hashes of its bytes are equal. A stale answer
 * is dropped and counted; a newer one follows it.
 */
export function foreignKeyResultProcessor(
  node: ForeignKeyResultNode,
  context: ViewingContext,
  forward: Forward
): Processor {
  const rows = context.views(node.parents[1])
  const dropped = context.dropCounter(node.name)
  const process: Forward = (record) => {
    const { key, value: answer } = record
    if (!(answer instanceof Answer)) return dropped.add('null-value')
    const row = rows.get(key, record.origin)
    const hash = row === undefined ? null : hash128(node.left.encode(row.value))
    const isCurrent = hash === null || answer.hash === null ? hash === answer.hash : hash.equals(answer.hash)
    if (!isCurrent) return dropped.add('late')
    if (row === undefined || (answer.value === undefined && node.join === 'inner')) {
      return forward(record.withValue(null))
    }
    let result: unknown
    try {
      result = node.fn(row.value, answer.value ?? null, { key })
    } catch (cause) {
      throw new ProcessingError(node.name, record.origin, cause)
    }
    forward(record.withValue(result))
  }
  return { process, inputs: [process, undefined] }
}
