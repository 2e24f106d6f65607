import type { WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { Timestamped } from '../state/store.ts'
import { ClosingRanges } from './closing-ranges.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import type { OperatorTime } from './operator-time.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/** What becomes of a window's value; undefined means absent. */
export interface WindowUpdate {
  readonly oldValue: unknown
  readonly newValue: unknown
  readonly timestamp: number
}

/** When the results of a windowed aggregation go on. Windows are told apart by their store's key and their place: the start, or a session's end. */
export interface WindowEmission {
  /** Hears of every change of a window's value. Absent where only the end of a window counts. */
  readonly updated?: (record: StreamRecord, at: WindowPlace, update: WindowUpdate) => void
  /** Called after the operator's time went forward, with the start of the newest window where windows are not aligned. */
  readonly advanced?: (newestStartMs?: number) => void
  readonly flush: () => void | Promise<void>
}

/** A window in its store. */
export interface WindowPlace {
  readonly storeKey: unknown
  readonly placeMs: number
}

/** What an emission needs to know of its windows. */
export interface EmittedWindows {
  readonly node: WindowedAggregateNode
  readonly context: ProcessorContext
  readonly forward: Forward
  /** Of the inputs; see {@link inputTimes}. */
  readonly times: readonly OperatorTime[]
  /** Of the store's keys. */
  readonly key: Serde<unknown>
  /** The key of a window's results. */
  windowed(at: WindowPlace): Windowed
  current(at: WindowPlace): Timestamped<unknown> | undefined
}

/**
 * `changes`: every update at once. `commit`: the last update per key and window at the commit, in the order in which they first changed.
 * `final`: at the commit after a window closed, once, by the window's place and then by the key's bytes.
 */
export function windowEmission(windows: EmittedWindows): WindowEmission {
  switch (windows.node.emit) {
    case 'changes':
      return emitChanges(windows)
    case 'commit':
      return emitPending(windows)
    case 'final':
      return emitClosed(windows)
  }
}

function emitChanges(windows: EmittedWindows): WindowEmission {
  const { forward } = windows
  return {
    updated: (record, at, { newValue, oldValue, timestamp }) => {
      forward(record.with(windows.windowed(at), new Change(newValue, oldValue), timestamp))
    },
    flush: () => {}
  }
}

function emitPending(windows: EmittedWindows): WindowEmission {
  const pending = new PendingUpdates(windows.key)
  windows.context.stage(pending)
  const emit = windows.context.guardEmission(emissionSource(windows.node), windows.forward)
  return {
    updated: (_record, { storeKey, placeMs }, { newValue, oldValue, timestamp }) => {
      const update = pending.note(storeKey, placeMs, oldValue)
      if (newValue === undefined) update.deletedAtMs = timestamp
    },
    flush: () => {
      for (const { key: storeKey, windowStartMs: placeMs, oldValue, deletedAtMs } of pending.take()) {
        const at = { storeKey, placeMs }
        const current = windows.current(at)
        if (current === undefined && oldValue === undefined) continue
        const change = new Change(current?.value, oldValue)
        emit(emittedRecord(windows.windowed(at), change, current?.timestamp ?? deletedAtMs))
      }
    }
  }
}

function emitClosed(windows: EmittedWindows): WindowEmission {
  const { node, context } = windows
  const closing = new ClosingRanges(node.window, timeOf(windows, 0), node.finalRetentionMs ?? Number.POSITIVE_INFINITY)
  context.stage(closing)
  const emit = context.guardEmission(emissionSource(node), windows.forward)
  return {
    advanced: (newestStartMs) => closing.advance(newestStartMs),
    flush: async () => {
      for (const { fromMs, toMs } of closing.take()) {
        for await (const page of context.stores.windowsClosing(node.store.name, fromMs, toMs)) {
          for (const { key: storeKey, windowStartMs: placeMs, value } of page) {
            const windowed = windows.windowed({ storeKey, placeMs })
            emit(emittedRecord(windowed, new Change(value.value, undefined), value.timestamp))
          }
        }
      }
    }
  }
}

/**
 * Gives up windows past the store's retention, one flush after they passed it: what changed them last is then in the changelog, and was seen
 * by those who watch the store.
 */
export function windowExpiry(windows: EmittedWindows, retentionMs: number): () => void {
  const { node, context, times } = windows
  return () => {
    const beforeMs = Math.max(...times.map(({ flushedMs }) => flushedMs)) - retentionMs + 1
    if (beforeMs > 0) context.stores.expire(node.store.name, beforeMs)
    for (const time of times) time.flushedMs = time.observedMs
  }
}

/**
 * The times by which the records of a windowed aggregation are late: one; of a cogroup one for each input, as in Kafka Streams, but where windows
 * have one final result, which needs one time.
 */
export function inputTimes(node: WindowedAggregateNode, context: ProcessorContext): readonly OperatorTime[] {
  const inputs = node.emit === 'final' ? 1 : (node.aggregation.adders?.length ?? 1)
  const times: OperatorTime[] = []
  for (let input = 0; input < inputs; input++) {
    const time = context.operatorTime(input === 0 ? node.name : `${node.name}/${input}`)
    context.stage(time)
    times.push(time)
  }
  return times
}

/** The time of an input. */
export function timeOf({ times }: EmittedWindows, input: number): OperatorTime {
  return times[input] ?? times[0]
}

/** What waits for the commit, then `after`, in one flush. */
export function flushThen(emission: WindowEmission, after: () => void): () => void | Promise<void> {
  return () => {
    const flushed = emission.flush()
    if (flushed) return flushed.then(after)
    return after()
  }
}
