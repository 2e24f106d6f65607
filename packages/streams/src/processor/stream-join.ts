import type { StreamJoinNode } from '../graph/join-node.ts'
import { StreamRecord } from '../graph/record.ts'
import type { WaitingRecord } from '../serde/waiting-list.ts'
import { ProcessingError } from './errors.ts'
import { JoinSide } from './join-side.ts'
import type { OperatorTime } from './operator-time.ts'
import type { Forward, Processor } from './processor.ts'
import type { ProcessorContext } from './task-context.ts'
import { UnmatchedRecords } from './unmatched-records.ts'

const LEFT = 0
const RIGHT = 1

/**
 * Two streams by equal keys and near timestamps: a record is joined with all of the other side that lie in its window and are still kept, by time
 * and then by arrival, and then kept itself. A result's time is the later of the two.
 *
 * In a left or outer join, a record that nothing matched comes out alone once its window and the grace are past, by the time of both inputs
 * together; one that is so late that nothing in its window can come in time any more comes out at once; so does one with a null key.
 *
 * A record that comes when its window and the grace are past is counted as late, though it is joined with what is still kept.
 */
export function streamJoinProcessor(node: StreamJoinNode, context: ProcessorContext, forward: Forward): Processor {
  const { beforeMs, afterMs, graceMs } = node.within
  const retentionMs = beforeMs + afterMs + graceMs
  const time = context.operatorTime(node.name)
  context.stage(time)
  const left = new JoinSide(node.stores.left, retentionMs, context)
  const right = new JoinSide(node.stores.right, retentionMs, context)
  const { unmatched: definition } = node.stores
  const unmatched = definition && new UnmatchedRecords(definition, node.stores.left.key, context)
  const parts = { node, time, unmatched, forward, dropped: context.dropCounter(node.name) }
  const ofLeft: SideOfJoin = {
    side: LEFT,
    own: left,
    other: right,
    beforeMs,
    afterMs,
    alone: node.join !== 'inner'
  }
  const ofRight: SideOfJoin = {
    side: RIGHT,
    own: right,
    other: left,
    beforeMs: afterMs,
    afterMs: beforeMs,
    alone: node.join === 'outer'
  }
  const inputs = [joinFrom(ofLeft, parts), joinFrom(ofRight, parts)] as const
  const flush = () => {
    left.expire()
    right.expire()
  }
  return { process: inputs[0], inputs, flush }
}

interface SideOfJoin {
  readonly side: typeof LEFT | typeof RIGHT
  readonly own: JoinSide
  readonly other: JoinSide
  /** The window around a record of this side. */
  readonly beforeMs: number
  readonly afterMs: number
  /** Whether a record of this side comes out when nothing matches it. */
  readonly alone: boolean
}

interface JoinParts {
  readonly node: StreamJoinNode
  readonly time: OperatorTime
  readonly unmatched: UnmatchedRecords | undefined
  readonly forward: Forward
  readonly dropped: ReturnType<ProcessorContext['dropCounter']>
}

function joinFrom(of: SideOfJoin, parts: JoinParts): Forward {
  const { side, own, other, beforeMs, afterMs, alone } = of
  const { time, unmatched, forward, dropped } = parts
  return (record) => {
    const { key, value, timestamp } = record
    // The records before this one are done with: what they say of the time stays.
    own.expireInTime()
    if (timestamp > time.observedMs) time.observedMs = timestamp
    if (value === null || value === undefined) return dropped.add('null-value')
    if (key === null || key === undefined) {
      return alone ? forward(record.withValue(joined(parts.node, record, { side, value }))) : dropped.add('null-key')
    }
    if (timestamp + afterMs + parts.node.within.graceMs < time.observedMs) dropped.add('late')
    if (unmatched !== undefined && timestamp === time.observedMs) giveUp(unmatched, parts, { record, afterMs })
    const untilMs = Math.max(0, timestamp + afterMs)
    const matches = other.find(key, Math.max(0, timestamp - beforeMs), untilMs)
    for (const match of matches) {
      unmatched?.remove(side === LEFT ? RIGHT : LEFT, key, match.timestamp)
      const result = joined(parts.node, record, { side, value, other: match.value })
      forward(record.with(key, result, Math.max(timestamp, match.timestamp)))
    }
    if (matches.length === 0 && alone) {
      if (untilMs < time.observedMs) forward(record.withValue(joined(parts.node, record, { side, value })))
      else unmatched?.add(side, record)
    }
    own.add(key, { value, timestamp })
  }
}

/**
 * Emits the records whose window and grace are past. As in Kafka Streams it looks only when the least time it knows of is past the window
 * of the side that asks, and what it knows is the last time it came across when it looked before, or that of an earlier record since.
 */
function giveUp(
  unmatched: UnmatchedRecords,
  parts: JoinParts,
  asked: { readonly record: StreamRecord; readonly afterMs: number }
): void {
  const { node, time, forward } = parts
  const { beforeMs, afterMs, graceMs } = node.within
  if (unmatched.leastMs + asked.afterMs + graceMs >= time.observedMs) return
  const lookAheadMs = (side: number): number => (side === LEFT ? afterMs : beforeMs)
  const open = new Set<number>()
  let lastMs = Number.POSITIVE_INFINITY
  let ended = false
  for (let at = unmatched.next(0); at !== undefined && !ended; at = unmatched.next(at + 1)) {
    const timestamp = at
    lastMs = timestamp
    const due = (side: number): boolean => timestamp + lookAheadMs(side) + graceMs < time.observedMs
    for (const { side } of unmatched.at(timestamp)) {
      // It comes across one more before it notices that there is nothing more to give up.
      ended ||= open.size === 2
      if (!due(side)) open.add(side)
    }
    for (const waiting of unmatched.take(timestamp, due)) forward(alone(node, waiting, asked.record, timestamp))
  }
  unmatched.leastMs = lastMs
}

function alone(
  node: StreamJoinNode,
  { side, key, value, headers }: WaitingRecord,
  record: StreamRecord,
  timestamp: number
): StreamRecord {
  const own = new StreamRecord(key, value, timestamp, headers, record.origin)
  return own.withValue(joined(node, own, { side, value }))
}

function joined(
  node: StreamJoinNode,
  record: StreamRecord,
  of: { readonly side: number; readonly value: unknown; readonly other?: unknown }
): unknown {
  const other = of.other ?? null
  try {
    const row = { key: record.key }
    return of.side === LEFT ? node.fn(of.value, other, row) : node.fn(other, of.value, row)
  } catch (cause) {
    throw new ProcessingError(node.name, record.origin, cause)
  }
}
