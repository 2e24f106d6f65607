import type { SlidingWindows, WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { IndexedWindowStore, Timestamped } from '../state/store.ts'
import { aggregateStep, firstOldValue, inputProcesses, resultTimestamp } from './aggregation.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
import { neighbourhood, type SlidingNeighbourhood } from './sliding-neighbourhood.ts'
import type { ProcessorContext } from './task-context.ts'
import {
  type EmittedWindows,
  flushThen,
  inputTimes,
  timeOf,
  type WindowEmission,
  windowEmission,
  windowExpiry
} from './window-emission.ts'
import { windowedKey } from './windows.ts'

/** A windowed aggregation by sliding windows. */
export type SlidingAggregateNode = WindowedAggregateNode & { readonly window: SlidingWindows }

/**
 * Count, reduce or aggregate per key and sliding window. The windows of a key are those that end at one of its records (the left window,
 * `[t - difference, t]`) or begin just after one (the right window, `[t + 1, t + 1 + difference]`) and have a record in them. So a record updates the
 * windows that contain it, latest first, and may add three: the right window of the record before it, its own left one, its own right one. Records
 * before `difference` share the window `[0, difference]` as left one.
 *
 * A window is closed once `end < stream time - grace`, the stream time being the greatest timestamp that reached this operator in this task; what
 * comes for it is dropped and counted as late, and so is a record whose right window would be closed. Null keys and values are dropped and counted.
 *
 * Windows that begin longer than the store's retention before the newest window of any key are no longer looked at.
 */
export function slidingAggregateProcessor(
  node: SlidingAggregateNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { window } = node
  const store = context.stores.indexedWindow(node.store.name)
  const windows: EmittedWindows = {
    node,
    context,
    forward,
    times: inputTimes(node, context),
    key: node.store.key,
    windowed: (storeKey, placeMs) => windowedKey(window, storeKey, placeMs),
    current: (storeKey, placeMs) => store.get(storeKey, placeMs),
    newestPlaceMs: () => store.newestStartMs
  }
  const emission = windowEmission(windows)
  const retentionMs = Math.max(node.store.retentionMs ?? 0, 2 * window.differenceMs + window.graceMs)
  return {
    ...inputProcesses(node.aggregation, (aggregation, input) =>
      updater({ ...node, aggregation }, { windows, emission, store, retentionMs, time: timeOf(windows, input) })
    ),
    // The newest window begins at most the difference before the stream time: what it still looks at is kept.
    ...flushThen(emission, windowExpiry(windows, retentionMs + window.differenceMs))
  }
}

function updater(
  node: SlidingAggregateNode,
  parts: {
    readonly windows: EmittedWindows
    readonly emission: WindowEmission
    readonly store: IndexedWindowStore<unknown, unknown>
    readonly retentionMs: number
    readonly time: OperatorTime
  }
): Forward {
  const { emission, store, retentionMs, time } = parts
  const { context } = parts.windows
  const { differenceMs, graceMs } = node.window
  const dropped = context.dropCounter(node.name)
  const write = writer(node, parts)
  // A millisecond apart, as Kafka Streams' stores for the two modes are.
  const lookBackMs = node.emit === 'final' ? retentionMs : retentionMs - 1

  return (record) => {
    const { key, value, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    if (value === null || value === undefined) return dropped.add('null-value')
    const advances = timestamp > time.observedMs
    if (advances) time.observedMs = timestamp
    const closeMs = time.observedMs - graceMs
    if (timestamp + differenceMs < closeMs) return dropped.add('late')
    const visibleFromMs = store.newestStartMs - lookBackMs
    const around = neighbourhood(store, record, { differenceMs, visibleFromMs })
    const update = { record, closeMs, write }
    if (timestamp < differenceMs) updateEarly(update, around)
    else updateWindows(update, around, differenceMs)
    if (advances) emission.advanced?.(store.newestStartMs)
  }
}

/** One record's way through its windows. */
interface SlidingUpdate {
  readonly record: StreamRecord
  readonly closeMs: number
  readonly write: WindowWriter
}

interface WindowWriter {
  /**
   * Adds the record to a window, unless it is closed.
   * @param from What the aggregate is made of: the window's own value, or that of the window it is cut from.
   * @param old The window's own value.
   */
  add(
    update: SlidingUpdate,
    startMs: number,
    from: Timestamped<unknown> | undefined,
    old: Timestamped<unknown> | undefined
  ): void
  /** A new window with the records after this one, as they are in another window. */
  copy(update: SlidingUpdate, startMs: number, from: Timestamped<unknown>): void
}

function writer(
  node: SlidingAggregateNode,
  parts: {
    readonly windows: EmittedWindows
    readonly emission: WindowEmission
    readonly store: IndexedWindowStore<unknown, unknown>
  }
): WindowWriter {
  const { store, emission } = parts
  const { differenceMs } = node.window
  const { updated } = emission
  const step = aggregateStep(node.name, node.aggregation)
  const first = firstOldValue(node)
  const tellsOrigin = node.firstFromInitial && node.emit === 'changes'
  const dropped = parts.windows.context.dropCounter(node.name)
  return {
    add: ({ record, closeMs }, startMs, from, old) => {
      if (startMs + differenceMs < closeMs) return dropped.add('late')
      const newValue = step(from, record) ?? null
      const cell = store.put(record.key, startMs, newValue, resultTimestamp(from, record))
      updated?.(record, cell, tellsOrigin ? (from === undefined ? first() : from.value) : old?.value)
    },
    copy: ({ record }, startMs, from) => {
      updated?.(record, store.put(record.key, startMs, from.value, from.timestamp), undefined)
    }
  }
}

function updateWindows(update: SlidingUpdate, around: SlidingNeighbourhood, differenceMs: number): void {
  const { record, write } = update
  const { timestamp } = record
  const { containing, left, before, previousMs } = around
  for (const { startMs, value } of containing) write.add(update, startMs, value, value)
  if (left !== undefined) write.add(update, timestamp - differenceMs, left, left)
  if (previousMs !== undefined && previousMs + 1 + differenceMs >= timestamp && !around.has(previousMs + 1)) {
    write.add(update, previousMs + 1, undefined, undefined)
  }
  if (left === undefined) {
    const reaches = previousMs !== undefined && previousMs >= timestamp - differenceMs
    // As of this record: a window's timestamp is that of its newest one.
    const from = reaches && before !== undefined ? { value: before.value, timestamp } : undefined
    write.add(update, timestamp - differenceMs, from, undefined)
  }
  const after = containing[0]?.value
  if (after !== undefined && after.timestamp > timestamp && !around.has(timestamp + 1)) {
    write.copy(update, timestamp + 1, after)
  }
}

/** All records before the difference have `[0, difference]` as left window. */
function updateEarly(update: SlidingUpdate, around: SlidingNeighbourhood): void {
  const { record, write } = update
  const { timestamp } = record
  const combined = around.containing.find(({ startMs }) => startMs === 0)?.value
  const containing = around.containing.filter(({ startMs }) => startMs !== 0)
  for (const { startMs, value } of containing.toReversed()) write.add(update, startMs, value, value)
  const later = combined !== undefined && combined.timestamp > timestamp ? combined : undefined
  const after = containing[0]?.value ?? later
  if (after !== undefined && after.timestamp > timestamp && !around.has(timestamp + 1)) {
    write.copy(update, timestamp + 1, after)
  }
  if (combined !== undefined && combined.timestamp < timestamp && !around.has(combined.timestamp + 1)) {
    write.add(update, combined.timestamp + 1, undefined, undefined)
  }
  write.add(update, 0, combined, combined)
}
