import type { WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { Windowed } from '../serde/windowed.ts'
import { aggregateStep, resultTimestamp } from './aggregation.ts'
import { ClosingRanges } from './closing-ranges.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import type { OperatorTime } from './operator-time.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'
import { firstWindowStart } from './windows.ts'

/**
 * Count, reduce or aggregate per key and window. A window `[start, end)` is closed once `end <= stream time - grace`, where the stream time
 * is the greatest timestamp that reached this operator in this task; what comes for a closed window is dropped and counted as late, in each
 * of its windows on its own. Null keys are dropped and counted and do not move the time; null values go to the aggregator.
 *
 * What goes on, and when: `changes`, every update at once; `commit`, the last update per key and window at the commit, in the order in which
 * they first changed; `final`, at the commit after a window closed, once, by window start and then by the key's bytes.
 */
export function windowedAggregateProcessor(
  node: WindowedAggregateNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const time = context.operatorTime(node.name)
  context.stage(time)
  const expire = expiry(node, time, context)
  switch (node.emit) {
    case 'changes':
      return { process: updater(node, { time, context, updated: emitChange(node, forward) }), flush: expire }
    case 'commit': {
      const pending = new PendingUpdates(node.store.key)
      context.stage(pending)
      const flush = flushPending(node, { pending, context, forward })
      return {
        process: updater(node, { time, context, updated: notePending(pending) }),
        flush: () => {
          flush()
          expire()
        }
      }
    }
    case 'final': {
      const closing = new ClosingRanges(node.window, time, node.finalRetentionMs ?? Number.POSITIVE_INFINITY)
      context.stage(closing)
      const flush = flushClosed(node, { closing, context, forward })
      return {
        process: updater(node, { time, context, advanced: () => closing.advance() }),
        flush: async () => {
          await flush()
          expire()
        }
      }
    }
  }
}

/** Hears of every change of a window's value; undefined means absent. */
type Updated = (record: StreamRecord, windowStartMs: number, update: WindowUpdate) => void

interface WindowUpdate {
  readonly oldValue: unknown
  readonly newValue: unknown
  readonly timestamp: number
}

/** The hot path: one point read and one write per window that contains the record. */
function updater(
  node: WindowedAggregateNode,
  parts: {
    readonly time: OperatorTime
    readonly context: ProcessorContext
    readonly updated?: Updated
    /** Called after the operator's time went forward. */
    readonly advanced?: () => void
  }
): Forward {
  const { time, context, updated, advanced } = parts
  const { window } = node
  const { sizeMs, advanceMs, graceMs } = window
  const store = context.stores.window(node.store.name)
  const step = aggregateStep(node.name, node.aggregation)
  const dropped = context.dropCounter(node.name)

  return (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    if (timestamp > time.observedMs) {
      time.observedMs = timestamp
      advanced?.()
    }
    const closeMs = time.observedMs - graceMs
    for (let startMs = firstWindowStart(window, timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs <= closeMs) {
        dropped.add('late')
        continue
      }
      const old = store.get(key, startMs)
      const newValue = step(old, record) ?? null
      const newTimestamp = resultTimestamp(old, record)
      store.put(key, startMs, newValue, newTimestamp)
      updated?.(record, startMs, { oldValue: old?.value, newValue: newValue ?? undefined, timestamp: newTimestamp })
    }
  }
}

function emitChange(node: WindowedAggregateNode, forward: Forward): Updated {
  const { sizeMs } = node.window
  return (record, startMs, { newValue, oldValue, timestamp }) => {
    const key = new Windowed(record.key, startMs, startMs + sizeMs)
    forward(record.with(key, new Change(newValue, oldValue), timestamp))
  }
}

function notePending(pending: PendingUpdates): Updated {
  return (record, startMs, { newValue, oldValue, timestamp }) => {
    const update = pending.note(record.key, startMs, oldValue)
    if (newValue === undefined) update.deletedAtMs = timestamp
  }
}

function flushPending(
  node: WindowedAggregateNode,
  parts: { readonly pending: PendingUpdates; readonly context: ProcessorContext; readonly forward: Forward }
): () => void {
  const { pending, context } = parts
  const { sizeMs } = node.window
  const store = context.stores.window(node.store.name)
  const emit = context.guardEmission(emissionSource(node), parts.forward)
  return () => {
    for (const { key, windowStartMs, oldValue, deletedAtMs } of pending.take()) {
      const current = store.get(key, windowStartMs)
      if (current === undefined && oldValue === undefined) continue
      const windowed = new Windowed(key, windowStartMs, windowStartMs + sizeMs)
      emit(emittedRecord(windowed, new Change(current?.value, oldValue), current?.timestamp ?? deletedAtMs))
    }
  }
}

/** Emits the windows that closed since the last time. */
function flushClosed(
  node: WindowedAggregateNode,
  parts: { readonly closing: ClosingRanges; readonly context: ProcessorContext; readonly forward: Forward }
): () => Promise<void> {
  const { closing, context } = parts
  const { sizeMs } = node.window
  const emit = context.guardEmission(emissionSource(node), parts.forward)
  return async () => {
    for (const { fromMs, toMs } of closing.take()) {
      for await (const page of context.stores.windowsClosing(node.store.name, fromMs, toMs)) {
        for (const { key, windowStartMs, value } of page) {
          const windowed = new Windowed(key, windowStartMs, windowStartMs + sizeMs)
          emit(emittedRecord(windowed, new Change(value.value, undefined), value.timestamp))
        }
      }
    }
  }
}

/**
 * Gives up windows past the store's retention, one flush after they passed it: what changed them last is then in the changelog, and was seen
 * by those who watch the store.
 */
function expiry(node: WindowedAggregateNode, time: OperatorTime, context: ProcessorContext): () => void {
  const retentionMs = Math.max(node.store.retentionMs ?? 0, node.window.sizeMs + node.window.graceMs)
  return () => {
    const beforeMs = time.flushedMs - retentionMs + 1
    if (beforeMs > 0) context.stores.expire(node.store.name, beforeMs)
    time.flushedMs = time.observedMs
  }
}
