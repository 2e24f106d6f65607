import type { AggregateNode } from '../graph/node.ts'
import { type AggregateStep, aggregateStep, firstOldValue, inputProcesses, resultTimestamp } from './aggregation.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import { flushUpdates } from './flush-updates.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import { expiredAtMs, rowExpiry } from './row-expiry.ts'
import type { ProcessorContext } from './task-context.ts'

/**
 * Count, reduce or aggregate per key. Null keys and null values are dropped and counted; a null result deletes the key, and its next record
 * begins anew. With emit `changes` every update goes on, with the headers of its record; with `commit` the last one per key does, at the
 * commit, in the order in which the keys first changed, and a key that came and went between two commits leaves nothing.
 */
export function aggregateProcessor(node: AggregateNode, context: ProcessorContext, forward: Forward): Processor {
  const store = context.stores.keyValue(node.store.name)
  const first = firstOldValue(node)
  const dropped = context.dropCounter(node.name)
  const pending = node.emit === 'changes' ? undefined : new PendingUpdates()
  if (pending) context.stage(pending)
  const { ttlMs } = node
  const guarded = context.guardEmission(emissionSource(node), forward)
  const expiry =
    ttlMs === undefined
      ? undefined
      : rowExpiry({ name: node.store.name, ttlMs }, context, (key, row, flushing) => {
          const atMs = expiredAtMs(row, ttlMs)
          const cell = store.put(key, null, atMs)
          if (pending) pending.note(cell, row.value)
          else (flushing ? guarded : forward)(emittedRecord(key, new Change(undefined, row.value), atMs))
        })

  const updater =
    (step: AggregateStep): Forward =>
    (record) => {
      const { key } = record
      if (key === null || key === undefined) return dropped.add('null-key')
      if (record.value === null || record.value === undefined) return dropped.add('null-value')
      const old = expiry === undefined ? store.get(key) : expiry.live(key)
      const timestamp = resultTimestamp(old, record)
      if (expiry?.isOver(timestamp)) return dropped.add('late')
      const value = step(old, record) ?? null
      const cell = store.put(key, value, timestamp)
      if (pending === undefined) {
        return forward(
          record.with(key, new Change(value ?? undefined, old === undefined ? first() : old.value), timestamp)
        )
      }
      pending.note(cell, old?.value)
    }
  const entrances = inputProcesses(node.aggregation, (aggregation) => updater(aggregateStep(node.name, aggregation)))
  const updates = pending && flushUpdates(node, { pending, context, forward })
  if (expiry === undefined) return { ...entrances, ...(updates && { flush: updates }) }
  return {
    ...entrances,
    flush: async () => {
      await expiry.flush()
      updates?.()
    }
  }
}
