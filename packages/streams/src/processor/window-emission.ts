import type { WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { Serde } from '../serde/serde.ts'
import type { Windowed } from '../serde/windowed.ts'
import type { StoreCell, Timestamped } from '../state/store.ts'
import { ClosingRanges } from './closing-ranges.ts'
import { DueKeys } from './due-keys.ts'
import { emissionSource } from './emission-source.ts'
import { emittedRecord } from './emitted-record.ts'
import { closedFromMs } from './idle-closing.ts'
import type { OperatorTime } from './operator-time.ts'
import { PendingUpdates } from './pending-updates.ts'
import { Change, type Forward, type Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'

/** When the results of a windowed aggregation go on. Windows are told apart by their store's key and their place: the start, or a session's end. */
export interface WindowEmission {
  /** Hears of every change of a window's value, once it is made; undefined means absent. Absent where only the end of a window counts. */
  readonly updated?: (record: StreamRecord, window: StoreCell, oldValue: unknown) => void
  /** Called after a record that the operator's time went forward with, with the start of the newest window where windows are not aligned. */
  readonly advanced?: (newestStartMs?: number) => void
  readonly flush: () => void | Promise<void>
  /** Nothing more comes for the windows there are: they are closed. */
  readonly idle?: () => void
  /** As that of a processor. */
  readonly open?: () => Promise<void> | void
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
  windowed(storeKey: unknown, placeMs: number): Windowed
  current(storeKey: unknown, placeMs: number): Timestamped<unknown> | undefined
  /** The latest place ever written, -1 before. */
  newestPlaceMs(): number
}

/**
 * `changes`: every update at once. `commit`: the last update per key and window at the commit, in the order in which they first changed.
 * `final`: once, within the record that closed the window, by the window's place and then by the key's bytes. Where the store has to be looked through for that (more windows
 * than memory allows), or an error policy may go on without a result, at the commit.
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
    updated: (record, { key, windowStartMs, current, deletedAtMs }, oldValue) => {
      const windowed = windows.windowed(key, windowStartMs)
      forward(record.with(windowed, new Change(current?.value, oldValue), current?.timestamp ?? deletedAtMs))
    },
    flush: () => {}
  }
}

function emitPending(windows: EmittedWindows): WindowEmission {
  const pending = new PendingUpdates()
  windows.context.stage(pending)
  const emit = windows.context.guardEmission(emissionSource(windows.node), windows.forward)
  return {
    updated: (_record, window, oldValue) => pending.note(window, oldValue),
    flush: () => {
      pending.take(({ key, windowStartMs, current, deletedAtMs }, oldValue) => {
        if (current === undefined && oldValue === undefined) return
        const change = new Change(current?.value, oldValue)
        emit(emittedRecord(windows.windowed(key, windowStartMs), change, current?.timestamp ?? deletedAtMs))
      })
    }
  }
}

function emitClosed(windows: EmittedWindows): WindowEmission {
  const { node, context, forward } = windows
  const time = timeOf(windows, 0)
  const closing = new ClosingRanges(node.window, time, node.finalRetentionMs ?? Number.POSITIVE_INFINITY)
  context.stage(closing)
  const guarded = context.guardEmission(emissionSource(node), forward)
  const next = new DueKeys(windows.key)
  const emit = (windowed: Windowed, { value, timestamp }: Timestamped<unknown>, to: Forward): void =>
    to(emittedRecord(windowed, new Change(value, undefined), timestamp))
  const emitKnown = (): void => {
    for (const { fromMs, toMs } of closing.takeBefore(next.horizonMs)) {
      for (const { key: storeKey, placeMs } of next.take(toMs)) {
        const result = placeMs < fromMs ? undefined : windows.current(storeKey, placeMs)
        if (result !== undefined) emit(windows.windowed(storeKey, placeMs), result, forward)
      }
    }
  }
  const advanced = (newestStartMs?: number): void => {
    closing.advance(newestStartMs)
    if (!context.mayGoOn) emitKnown()
  }
  const open = (fromMs: number) => context.stores.windowsClosing(node.store.name, fromMs, Number.POSITIVE_INFINITY)
  return {
    ...(!context.mayGoOn && {
      updated: (_record, { key, windowStartMs, current }, oldValue) => {
        if (oldValue === undefined && current !== undefined) next.add(windowStartMs, key)
      },
      open: () => (windows.newestPlaceMs() < 0 ? next.beginEmpty() : next.load(open(closing.nextMs)))
    }),
    advanced,
    idle: () => {
      const newestMs = windows.newestPlaceMs()
      const closedMs = closedFromMs(node.window, newestMs)
      if (newestMs < 0 || closedMs <= time.observedMs) return
      time.observedMs = closedMs
      advanced(newestMs)
    },
    flush: async () => {
      const ranges = closing.take()
      for (const { fromMs, toMs } of ranges) {
        for await (const page of context.stores.windowsClosing(node.store.name, fromMs, toMs)) {
          for (const { key: storeKey, windowStartMs: placeMs, value } of page)
            emit(windows.windowed(storeKey, placeMs), value, guarded)
        }
      }
      if (ranges.length > 0 && !context.mayGoOn) await next.load(open(closing.nextMs))
    }
  }
}

/**
 * Gives up windows past the store's retention, one flush after they passed it: what changed them last is then in the changelog, and was seen
 * by those who watch the store.
 * @param newestPlaceMs where the newest window is at a time: the retention is counted back from there. Default: at the time itself.
 */
export function windowExpiry(
  windows: EmittedWindows,
  retentionMs: number,
  newestPlaceMs = (timeMs: number): number => timeMs
): () => void {
  const { node, context, times } = windows
  return () => {
    const beforeMs = newestPlaceMs(Math.max(...times.map(({ flushedMs }) => flushedMs))) - retentionMs + 1
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

/** What an emission has for the commit, then `after`, in one flush; and what it does before the first record. */
export function flushThen(emission: WindowEmission, after: () => void): Pick<Processor, 'flush' | 'open' | 'idle'> {
  const { open, idle } = emission
  return {
    flush: () => {
      const flushed = emission.flush()
      if (flushed) return flushed.then(after)
      return after()
    },
    ...(open && { open: () => open() ?? undefined }),
    ...(idle && { idle })
  }
}
