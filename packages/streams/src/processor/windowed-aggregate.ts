import type { Aggregation, TimeWindows, UnlimitedWindows, WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { aggregateStep, firstOldValue, inputProcesses, resultTimestamp } from './aggregation.ts'
import type { Forward, Processor } from './processor.ts'
import { sessionAggregateProcessor } from './session-aggregate.ts'
import { slidingAggregateProcessor } from './sliding-aggregate.ts'
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
import { ENDLESS_MS, firstWindowStart, windowedKey } from './windows.ts'

/**
 * Count, reduce or aggregate per key and window. A window `[start, end)` is closed once `end <= stream time - grace`, where the stream time
 * is the greatest timestamp that reached this operator in this task; what comes for a closed window is dropped and counted as late, in each
 * of its windows on its own. Null keys are dropped and counted and do not move the time; null values go to the aggregator. An unlimited window
 * never closes, and has nothing to do with records before it.
 */
export function windowedAggregateProcessor(
  node: WindowedAggregateNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { window } = node
  if (window.kind === 'session') return sessionAggregateProcessor({ ...node, window }, context, forward)
  if (window.kind === 'sliding') return slidingAggregateProcessor({ ...node, window }, context, forward)
  const store = context.stores.window(node.store.name)
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
  const aligned = alignedWindows(window)
  const entrances = inputProcesses(node.aggregation, (aggregation, input) =>
    alignedUpdater({ aligned, windows, emission, aggregation, input })
  )
  if (window.kind === 'unlimited') return { ...entrances, flush: emission.flush }
  const retentionMs = Math.max(node.store.retentionMs ?? 0, window.sizeMs + window.graceMs)
  // As long as those who read the table see them (`table-view.ts`).
  const keptMs = node.emit === 'final' ? retentionMs + 1 : retentionMs
  const newestStartMs = (timeMs: number): number => timeMs - (timeMs % window.advanceMs)
  return { ...entrances, ...flushThen(emission, windowExpiry(windows, keptMs, newestStartMs)) }
}

/** Where a record's windows begin, and how long they are open. */
interface AlignedWindows {
  first(timestampMs: number): number
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

function alignedWindows(window: TimeWindows | UnlimitedWindows): AlignedWindows {
  if (window.kind === 'time') return { ...window, first: (timestampMs) => firstWindowStart(window, timestampMs) }
  return { first: () => window.startMs, sizeMs: ENDLESS_MS, advanceMs: ENDLESS_MS, graceMs: 0 }
}

/** The hot path: one point read and one write per window that contains the record. */
function alignedUpdater(parts: {
  readonly aligned: AlignedWindows
  readonly windows: EmittedWindows
  readonly emission: WindowEmission
  readonly aggregation: Aggregation
  readonly input: number
}): Forward {
  const { aligned, windows } = parts
  const { node, context } = windows
  const { sizeMs, advanceMs, graceMs } = aligned
  const { updated, advanced } = parts.emission
  const time = timeOf(windows, parts.input)
  // Only an input that is behind another one comes to a window that is expired and yet not closed.
  const retentionMs = windows.times.length === 1 ? Number.POSITIVE_INFINITY : (node.store.retentionMs ?? 0)
  const store = context.stores.window(node.store.name)
  const step = aggregateStep(node.name, parts.aggregation)
  const first = firstOldValue(node)
  const dropped = context.dropCounter(node.name)

  return (record: StreamRecord) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    const advances = timestamp > time.observedMs
    if (advances) time.observedMs = timestamp
    const closeMs = time.observedMs - graceMs
    for (let startMs = aligned.first(timestamp); startMs <= timestamp; startMs += advanceMs) {
      if (startMs + sizeMs <= closeMs) {
        dropped.add('late')
        continue
      }
      const expired = startMs <= store.newestStartMs - retentionMs
      if (expired && !node.beginsAnew) {
        dropped.add('late')
        continue
      }
      const old = expired ? undefined : store.get(key, startMs)
      const newValue = step(old, record) ?? null
      const cell = store.put(key, startMs, newValue, resultTimestamp(old, record))
      updated?.(record, cell, old === undefined ? first() : old.value)
    }
    if (advances) advanced?.()
  }
}
