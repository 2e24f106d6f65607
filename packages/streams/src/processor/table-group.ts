import type { TableGroupNode } from '../graph/table-node.ts'
import { identityOf } from '../state/store-entry.ts'
import { ProcessingError } from './errors.ts'
import { Change, type Forward } from './processor.ts'
import { changeOf } from './table-output.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Sends what a row was, and what it is, to where their keys say. Equal keys go as one message, subtracted and added together (KIP-904); else the
 * old goes first, and the two may meet other partitions. A null value or new key has no part in it, and changes that are not the latest of
 * a versioned table have none at all.
 */
export function tableGroup(node: TableGroupNode, context: ProcessorContext, forward: Forward): Forward {
  const identity = identityOf(node.key)
  const dropped = context.dropCounter(node.name)
  return (record) => {
    const { newValue, oldValue, isLatest } = changeOf(record)
    if (!isLatest) return dropped.add('late')
    const row = { key: record.key }
    const keyOf = (value: unknown): unknown => {
      if (value === undefined) return null
      try {
        return node.fn(value, row) ?? null
      } catch (cause) {
        throw new ProcessingError(node.name, record.origin, cause)
      }
    }
    const newKey = keyOf(newValue)
    const oldKey = keyOf(oldValue)
    if (newKey !== null && oldKey !== null && identity(newKey) === identity(oldKey)) {
      return forward(record.with(newKey, new Change(newValue, oldValue), record.timestamp))
    }
    if (oldKey !== null) forward(record.with(oldKey, new Change(undefined, oldValue), record.timestamp))
    if (newKey !== null) forward(record.with(newKey, new Change(newValue, undefined), record.timestamp))
  }
}
