import { murmur2 } from '@millrace/log'
import type { SinkRecord } from '../../sink.ts'

/** A record, and what tells it from all others: `<topic>-<partition>-<offset>`, with `.1`, `.2` … when transforms made several of one. */
export interface IdentifiedRecord {
  readonly id: string
  readonly record: SinkRecord
}

/** The records of one request. */
export type RequestGroup = readonly IdentifiedRecord[]

/** What may go into one request, and what must wait for another. */
export interface PlanLimits {
  readonly batchRecords: number
  readonly batchBytes: number
  /** Records of a lane are sent one after the other: a lane is a partition, or the keys of one that share a number below this. */
  readonly keyLanes: number | undefined
  /** Records of one request have the same target. */
  readonly target: (record: SinkRecord) => string
}

/** Ids of the records, in their order. */
export function identify(batch: readonly SinkRecord[]): IdentifiedRecord[] {
  const made = new Map<string, number>()
  return batch.map((record) => {
    const place = `${record.topic}-${record.partition}-${record.offset}`
    const before = made.get(place) ?? 0
    made.set(place, before + 1)
    return { record, id: before === 0 ? place : `${place}.${before}` }
  })
}

/**
 * Divides records into lanes, and the lanes into requests. Requests that were sent before, and whose outcome is not known, come again as they were: by
 * the ids of their records, under that of the first.
 */
export function planRequests(
  records: readonly IdentifiedRecord[],
  limits: PlanLimits,
  sent: ReadonlyMap<string, readonly string[]>
): readonly (readonly RequestGroup[])[] {
  const lanes = Map.groupBy(records, ({ record }) => laneOf(record, limits.keyLanes))
  return [...lanes.values()].map((lane) => groupsOf(lane, limits, sent))
}

function laneOf({ topic, partition, key }: SinkRecord, keyLanes: number | undefined): string {
  const lane = keyLanes === undefined || key === null ? '' : (murmur2(key) >>> 0) % keyLanes
  return `${topic}-${partition}/${lane}`
}

function groupsOf(
  lane: readonly IdentifiedRecord[],
  limits: PlanLimits,
  sent: ReadonlyMap<string, readonly string[]>
): RequestGroup[] {
  const groups: RequestGroup[] = []
  for (let from = 0; from < lane.length; ) {
    const before = sent.get(lane[from].id)
    const repeats = before?.every((id, i) => lane[from + i]?.id === id) === true
    const to = before !== undefined && repeats ? from + before.length : newGroupEnd(lane, from, { limits, sent })
    groups.push(lane.slice(from, to))
    from = to
  }
  return groups
}

/** Takes as many records as fit, and none that an earlier request began with. */
function newGroupEnd(
  lane: readonly IdentifiedRecord[],
  from: number,
  { limits, sent }: { readonly limits: PlanLimits; readonly sent: ReadonlyMap<string, unknown> }
): number {
  const target = limits.target(lane[from].record)
  let bytes = lane[from].record.value?.length ?? 0
  let to = from + 1
  while (to < lane.length && to - from < limits.batchRecords && !sent.has(lane[to].id)) {
    const { record } = lane[to]
    bytes += record.value?.length ?? 0
    if (bytes > limits.batchBytes || limits.target(record) !== target) break
    to++
  }
  return to
}
