import type { StoreDefinition } from '../graph/node.ts'
import type { TableNode } from '../graph/table-node.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import { flushUpdates } from './flush-updates.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import { expiredAtMs, rowExpiry } from './row-expiry.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * The latest record of every key, as long as it is not over (see `row-expiry.ts`). A record that is over when it comes is counted as late, and what it
 * replaces is deleted. Deletions carry the time at which the row was over.
 */
export function expiringTableProcessor(
  node: TableNode & { readonly ttlMs: number; readonly store: StoreDefinition },
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { ttlMs, emit } = node
  const store = context.stores.keyValue(node.store.name)
  const dropped = context.dropCounter(node.name)
  const guarded = context.guardEmission(emissionSource(node), forward)
  const pending = emit === 'commit' ? new PendingUpdates() : undefined
  if (pending) context.stage(pending)
  const expiry = rowExpiry({ name: node.store.name, ttlMs }, context, (key, row, flushing) => {
    const atMs = expiredAtMs(row, ttlMs)
    const cell = store.put(key, null, atMs)
    if (pending) pending.note(cell, row.value)
    else (flushing ? guarded : forward)(emittedRecord(key, new Change(undefined, row.value), atMs))
  })
  const updates = pending && flushUpdates(node, { pending, context, forward, deletesUnseen: true })

  const process: Forward = (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    const old = expiry.live(key)
    const isOver = expiry.isOver(timestamp)
    if (isOver) {
      dropped.add('late')
      if (old === undefined) return
    }
    const value = isOver ? undefined : (record.value ?? undefined)
    const cell = store.put(key, value ?? null, timestamp)
    if (pending === undefined) return forward(record.with(key, new Change(value, old?.value), timestamp))
    pending.note(cell, old?.value)
  }
  return {
    process,
    flush: async () => {
      await expiry.flush()
      updates?.()
    }
  }
}
