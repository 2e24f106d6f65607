import type { SessionWindows, WindowedAggregateNode } from '../graph/node.ts'
import type { StreamRecord } from '../graph/record.ts'
import { Windowed } from '../serde/windowed.ts'
import { SessionKey, sessionKey } from '../state/session-key.ts'
import type { SessionBounds, SessionStore, StoreCell } from '../state/store.ts'
import { inputProcesses, sessionStep } from './aggregation.ts'
import { newestMs, type OperatorTime } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
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

/** A windowed aggregation by sessions. */
export type SessionAggregateNode = WindowedAggregateNode & { readonly window: SessionWindows }

/**
 * Count, reduce or aggregate per key and session. A record joins every session of its key that ends at most the gap before it and begins at most
 * the gap after it: their aggregates are merged, oldest end first, and the new session reaches from the first to the last of them. Sessions that
 * were merged away are deleted (with a tombstone downstream), even the one that the record is inside of; then comes the new one. A record whose
 * session, once merged, ended before `stream time - grace - gap` is dropped and counted as late; stream time is the greatest timestamp that
 * reached this operator in this task. Null keys are dropped and counted; null values go to the aggregator. A result's timestamp is the end of its
 * session.
 *
 * Sessions that ended longer than the store's retention before the stream time, as it was before the record, are no longer joined.
 */
export function sessionAggregateProcessor(
  node: SessionAggregateNode,
  context: ProcessorContext,
  forward: Forward
): Processor {
  const { gapMs, graceMs } = node.window
  const store = context.stores.session(node.store.name)
  const windows: EmittedWindows = {
    node,
    context,
    forward,
    times: inputTimes(node, context),
    key: sessionKey(node.store.key),
    windowed: windowedSession,
    current: (storeKey, placeMs) =>
      storeKey instanceof SessionKey
        ? store.get(storeKey.key, { startMs: storeKey.startMs, endMs: placeMs })
        : undefined,
    newestPlaceMs: () => store.newestEndMs
  }
  const emission = windowEmission(windows)
  const retentionMs = Math.max(node.store.retentionMs ?? 0, gapMs + graceMs)
  // A session that ended exactly the gap and grace ago is still to be closed.
  const keptMs = Math.max(retentionMs, gapMs + graceMs + 1)
  return {
    ...inputProcesses(node.aggregation, (aggregation, input) =>
      updater({ ...node, aggregation }, { windows, emission, retentionMs, time: timeOf(windows, input) })
    ),
    ...flushThen(emission, windowExpiry(windows, keptMs))
  }
}

function updater(
  node: SessionAggregateNode,
  parts: {
    readonly windows: EmittedWindows
    readonly emission: WindowEmission
    readonly retentionMs: number
    readonly time: OperatorTime
  }
): Forward {
  const { emission, retentionMs, time } = parts
  const { context, times } = parts.windows
  const { gapMs, graceMs } = node.window
  const store = context.stores.session(node.store.name)
  const step = sessionStep(node.name, node.aggregation)
  const saysNothing = node.firstFromInitial && node.emit === 'changes'
  const dropped = context.dropCounter(node.name)
  // A session that had its final result is not joined, however long it is kept.
  const joinableMs = node.emit === 'final' ? Math.min(retentionMs, gapMs + graceMs + 1) : retentionMs

  return (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    const earliestEndMs = Math.max(timestamp - gapMs, newestMs(times) - joinableMs + 1)
    const advances = timestamp > time.observedMs
    if (advances) time.observedMs = timestamp
    const joined = store.find(key, earliestEndMs, timestamp + gapMs)
    const session = mergedBounds(joined, timestamp)
    if (session.endMs < time.observedMs - graceMs - gapMs) return dropped.add('late')
    const old = joined.map(({ current }) => current?.value)
    const value = step(old, record) ?? null
    replace(
      { store, emission, record, seesEach: node.emit === 'changes' },
      { joined, old, before: saysNothing ? undefined : old[0], session, value }
    )
    if (advances) emission.advanced?.()
  }
}

/** Takes the merged sessions away, each with its tombstone, and puts the new one in. */
function replace(
  {
    store,
    emission,
    record,
    seesEach
  }: {
    readonly store: SessionStore<unknown, unknown>
    readonly emission: WindowEmission
    readonly record: StreamRecord
    /** Whether what comes and goes between two commits is seen. */
    readonly seesEach: boolean
  },
  {
    joined,
    old,
    before,
    session,
    value
  }: {
    readonly joined: readonly StoreCell[]
    readonly old: readonly unknown[]
    /** What an updated session was before. */
    readonly before: unknown
    readonly session: SessionBounds
    readonly value: unknown
  }
): void {
  const { key } = record
  const { updated } = emission
  // A session of one instant that gets another record at that instant is updated; Kafka Streams sends no tombstone for it.
  const isUpdate = session.startMs === session.endMs && joined.length > 0
  const newest = joined.at(-1)
  const isMovable = !isUpdate && !seesEach && value !== null && newest !== undefined
  const grown = isMovable ? store.move(key, newest, session, value) : undefined
  if (!isUpdate) {
    joined.forEach((cell, i) => {
      if (cell !== grown) updated?.(record, store.put(key, boundsOf(cell), null), old[i])
    })
  }
  updated?.(record, grown ?? store.put(key, session, value), isUpdate ? before : undefined)
}

function mergedBounds(joined: readonly StoreCell[], timestamp: number): SessionBounds {
  let startMs = timestamp
  let endMs = timestamp
  for (const cell of joined) {
    const bounds = boundsOf(cell)
    if (bounds.startMs < startMs) startMs = bounds.startMs
    if (bounds.endMs > endMs) endMs = bounds.endMs
  }
  return { startMs, endMs }
}

function boundsOf({ sessionStartMs = 0, windowStartMs }: StoreCell): SessionBounds {
  return { startMs: sessionStartMs, endMs: windowStartMs }
}

function windowedSession(storeKey: unknown, endMs: number): Windowed {
  return storeKey instanceof SessionKey
    ? new Windowed(storeKey.key, storeKey.startMs, endMs)
    : new Windowed(storeKey, endMs, endMs)
}
