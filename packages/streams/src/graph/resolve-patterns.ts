import type { Node } from './node.ts'
import { findSubtopologies } from './subtopologies.ts'
import type { Topology } from './topology.ts'
import { TopologyError } from './topology-error.ts'

/** Whether a topology reads topics by pattern, so that it has to be resolved before it runs. */
export function hasPatterns(topology: Topology): boolean {
  return topology.nodes.some((node) => node.kind === 'source' && node.pattern !== undefined)
}

/**
 * The topology with the topics that its patterns match, by name. What the topology reads by name, or makes itself, and topics of the log's own
 * (`__…`) are not matched.
 *
 * @throws TopologyError when a pattern matches nothing, or two match one topic.
 */
export function resolvePatterns(topology: Topology, existing: Iterable<string>): Topology {
  if (!hasPatterns(topology)) return topology
  const taken = new Set(topology.nodes.flatMap((node) => (node.kind === 'source' ? node.topics : [])))
  for (const { topic } of topology.globalTables) taken.add(topic)
  const isOwn = (topic: string) => topic.startsWith(`${topology.name}-`) && /-(changelog|repartition)$/.test(topic)
  const free = [...new Set(existing)].filter((topic) => !taken.has(topic) && !topic.startsWith('__') && !isOwn(topic))
  free.sort()
  const readBy = new Map<string, string>()
  const nodes = topology.nodes.map((node): Node => {
    if (node.kind !== 'source' || node.pattern === undefined) return node
    const { pattern, name } = node
    const topics = free.filter((topic) => matches(pattern, topic))
    const problem = problemOf({ pattern, topics, readBy })
    if (problem !== undefined) throw new TopologyError({ topology: topology.name, node: name, problem })
    for (const topic of topics) readBy.set(topic, name)
    return Object.freeze({ ...node, topics: Object.freeze(topics) })
  })
  return Object.freeze({ ...topology, nodes: Object.freeze(nodes), subtopologies: findSubtopologies(nodes) })
}

function problemOf(found: {
  readonly pattern: RegExp
  readonly topics: readonly string[]
  readonly readBy: ReadonlyMap<string, string>
}): string | undefined {
  const { pattern, topics, readBy } = found
  if (topics.length === 0) return `no topic matches ${pattern}: create one before the start`
  const twice = topics.find((topic) => readBy.has(topic))
  return twice === undefined
    ? undefined
    : `topic '${twice}' matches ${pattern} and is read by '${readBy.get(twice)}' too: keep the patterns apart`
}

/** Whether all flags of the pattern but those that make it remember allow the name. */
function matches(pattern: RegExp, topic: string): boolean {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(topic)
}
