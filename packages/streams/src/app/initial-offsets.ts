import type { Consumer } from '@millrace/log'
import type { SourceNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { Partitions } from './stream-thread.ts'

/** Where inputs without a committed offset begin, as their sources say: by `topic-partition`. Internal topics begin at their start. */
export async function initialOffsets(
  consumer: Pick<Consumer, 'beginningOffsets' | 'endOffsets'>,
  topology: Topology,
  partitions: Partitions
): Promise<ReadonlyMap<string, number>> {
  if (partitions.length === 0) return new Map()
  const sources = topology.nodes.filter((node): node is SourceNode => node.kind === 'source')
  const latest = new Set(sources.filter((node) => node.reset === 'latest').flatMap((node) => node.topics))
  const fromEnd = partitions.filter(({ topic }) => latest.has(topic))
  const fromStart = partitions.filter(({ topic }) => !latest.has(topic))
  const starts = fromStart.length > 0 ? await consumer.beginningOffsets(fromStart) : []
  const ends = fromEnd.length > 0 ? await consumer.endOffsets(fromEnd, 'read_committed') : []
  return new Map([...starts, ...ends])
}
