import type { DurableStep, Moment } from '../graph/durable-operator.ts'
import { type RecordOrigin, StreamRecord } from '../graph/record.ts'
import type { RxNode } from '../graph/rx-node.ts'
import { type DurableEntry, toDurableEntry } from '../serde/durable-state.ts'
import type { Serde } from '../serde/serde.ts'
import type { KeyValueStore } from '../state/store.ts'
import { ProcessingError, punctuationOrigin } from './errors.ts'
import type { Forward, Processor } from './processor.ts'
import { RxTimers } from './rx-timers.ts'
import type { ProcessorContext } from './task-context.ts'

/** How many times within what an operator waits the queue is looked at, when the time is moved by records that do not come by. */
const looksPerWait = 10

/**
 * Runs a durable operator: a state a key in a store and, of an operator that waits, a queue of keys by time.
 *
 * The clock is stream time: the greatest timestamp that the task or this operator has seen. A record first moves the clock; timers before it go off, by
 * time, then in the order in which they were set; then the record is taken, at the clock's time. So a value comes before a timer of the same
 * millisecond, as in RxJS' TestScheduler, where what is scheduled first goes first. A record that comes late is taken at the clock's time too: RxJS
 * knows no other than that of arrival.
 *
 * What a record makes it emit carries the record's timestamp and headers; what a timer does, the timer's time and no headers. Null keys are dropped.
 */
export function rxProcessor(node: RxNode, context: ProcessorContext, forward: Forward): Processor {
  const states = context.stores.keyValue(node.store.name)
  const dropped = context.dropCounter(node.name)
  const clock = node.timers && movingClock(node, node.timers.name, { context, states, forward })
  const same = sameBytes(node.input)
  const { onValue } = node.operator
  const take = (record: StreamRecord, at: Moment, entry: DurableEntry): DurableStep => {
    try {
      return onValue(entry.state, record.value, at)
    } catch (cause) {
      throw new ProcessingError(node.name, record.origin, cause)
    }
  }
  const process: Forward = (record) => {
    const { key, timestamp } = record
    if (key === null || key === undefined) return dropped.add('null-key')
    const nowMs = clock === undefined ? timestamp : clock.moveTo(timestamp, record.origin)
    const entry = toDurableEntry(states.get(key)?.value)
    const { state, emits } = take(record, { nowMs, same }, entry)
    if (state !== entry.state) {
      const { timer } = entry
      const next = { ...(state && { state }), ...(timer && { timer }) }
      if (clock !== undefined && timer === undefined && state?.dueMs !== undefined) {
        clock.timers.set(key, next, { atMs: state.dueMs, nowMs })
      } else states.put(key, state === undefined && timer === undefined ? null : next, timestamp)
    }
    for (const value of emits) forward(record.withValue(value))
  }
  return { process, ...(clock && { flush: () => clock.timers.flush() }) }
}

interface MovingClock {
  readonly timers: RxTimers
  /** Lets the timers before the new time go off; the time never goes back. */
  moveTo(timestampMs: number, origin: RecordOrigin): number
}

function movingClock(
  { name, operator }: RxNode,
  timersStore: string,
  parts: {
    readonly context: ProcessorContext
    readonly states: KeyValueStore<unknown, unknown>
    readonly forward: Forward
  }
): MovingClock {
  const { context, states, forward } = parts
  const time = context.operatorTime(name)
  context.stage(time)
  const timers = new RxTimers(states, context.stores.keyValue(timersStore))
  context.stage(timers)

  const goOff = (key: unknown, atMs: number, origin: RecordOrigin): void => {
    const { state } = timers.unset(key, atMs)
    if (state?.dueMs === undefined) return
    if (state.dueMs > atMs) {
      timers.set(key, { state }, { atMs: state.dueMs, nowMs: atMs })
      return
    }
    const { dueMs: _, ...rest } = state
    const step: DurableStep = operator.onTimer?.(rest, atMs) ?? { state: rest, emits: [] }
    if (step.state === undefined) states.put(key, null, atMs)
    else if (step.state.dueMs === undefined) states.put(key, { state: step.state }, atMs)
    else timers.set(key, { state: step.state }, { atMs: step.state.dueMs, nowMs: atMs })
    for (const value of step.emits) forward(new StreamRecord(key, value, atMs, [], origin))
  }
  const moveTo = (timestampMs: number, origin: RecordOrigin): number => {
    const nowMs = Math.max(time.observedMs, context.streamTimeMs(), timestampMs)
    time.observedMs = nowMs
    timers.before(nowMs, (key, atMs) => goOff(key, atMs, origin))
    return nowMs
  }
  context.schedule({
    node: name,
    clock: 'stream-time',
    everyMs: Math.max(1, Math.floor((operator.waitsMs ?? 1) / looksPerWait)),
    run: (timestampMs) => {
      moveTo(timestampMs, punctuationOrigin)
    }
  })
  return { timers, moveTo }
}

function sameBytes(serde: Serde<unknown>): Moment['same'] {
  return (left, right) => {
    if (left === right) return true
    if (!isObject(left) || !isObject(right)) return false
    return serde.encode(left).equals(serde.encode(right))
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}
