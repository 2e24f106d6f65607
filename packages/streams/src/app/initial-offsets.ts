import type { Clock, Consumer, TopicPartition } from '@millrace/log'
import type { OffsetReset, SourceNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { NoCommittedOffsetError } from './errors.ts'

/** What it takes to find where inputs begin. */
export interface InitialOffsetsContext {
  readonly consumer: Pick<Consumer, 'beginningOffsets' | 'endOffsets' | 'offsetsForTimes'>
  readonly clock: Pick<Clock, 'nowMs'>
  readonly topology: Topology
}

/**
 * Where inputs without a committed offset begin, as their sources say: by `topic-partition`. Internal topics begin at their start. Where there is no record
 * of the time asked for, at the end.
 * @throws NoCommittedOffsetError
 */
export async function initialOffsets(
  { consumer, clock, topology }: InitialOffsetsContext,
  partitions: readonly TopicPartition[]
): Promise<ReadonlyMap<string, number>> {
  const resets = resetsOf(topology)
  const resetOf = ({ topic }: TopicPartition): OffsetReset => resets.get(topic) ?? 'earliest'
  const [lacking] = partitions.filter((at) => resetOf(at) === 'none')
  if (lacking !== undefined) throw new NoCommittedOffsetError(topology.name, lacking)
  const found = new Map<string, number>()
  const fromStart = partitions.filter((at) => resetOf(at) === 'earliest')
  if (fromStart.length > 0) addTo(found, await consumer.beginningOffsets(fromStart))
  const fromEnd = partitions.filter((at) => resetOf(at) !== 'earliest')
  if (fromEnd.length > 0) addTo(found, await consumer.endOffsets(fromEnd, 'read_committed'))
  const queries = partitions.flatMap((at) => {
    const reset = resetOf(at)
    return typeof reset === 'string' ? [] : [{ ...at, timestampMs: sinceTimestampMs(reset, clock.nowMs()) }]
  })
  if (queries.length === 0) return found
  for (const [at, { offset }] of await consumer.offsetsForTimes(queries)) if (offset >= 0) found.set(at, offset)
  return found
}

/** The time, since the epoch, from which records of the last so many milliseconds are. */
export function sinceTimestampMs({ sinceMs }: Extract<OffsetReset, object>, nowMs: number): number {
  return Math.max(0, nowMs - sinceMs)
}

function resetsOf({ nodes }: Topology): ReadonlyMap<string, OffsetReset> {
  const sources = nodes.filter((node): node is SourceNode => node.kind === 'source')
  return new Map(sources.flatMap(({ topics, reset = 'earliest' }) => topics.map((topic) => [topic, reset] as const)))
}

function addTo(found: Map<string, number>, offsets: ReadonlyMap<string, number>): void {
  for (const [at, offset] of offsets) found.set(at, offset)
}
