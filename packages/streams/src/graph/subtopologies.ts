import { patternName } from './names.ts'
import type { Node } from './node.ts'
import { storesOf } from './node-stores.ts'
import type { Subtopology } from './topology.ts'

/**
 * The connected components of a topology: nodes joined by an edge or by a store. A repartition node and the source behind it are joined
 * by a topic only, so that is where components part. Numbered in the order of their first nodes.
 */
export function findSubtopologies(nodes: readonly Node[]): readonly Subtopology[] {
  const groups = new Groups()
  for (const node of nodes) {
    groups.join(node.name, node.name)
    for (const parent of node.parents) groups.join(parent, node.name)
    for (const store of storesOf(node)) groups.join(`store ${store.name}`, node.name)
  }
  const byRoot = Map.groupBy(nodes, (node) => groups.rootOf(node.name))
  return Object.freeze([...byRoot.values()].map(makeSubtopology))
}

function makeSubtopology(nodes: readonly Node[], id: number): Subtopology {
  const sources = nodes.filter((node) => node.kind === 'source')
  const topics = (internal: boolean) =>
    Object.freeze(
      sources.filter((node) => (node.repartitionOf !== undefined) === internal).flatMap((node) => node.topics)
    )
  // Which topics a pattern matches may change from start to start.
  const lasting = sources.flatMap((node) => (node.pattern === undefined ? node.topics : [patternName(node.pattern)]))
  const [name = ''] = lasting.sort()
  return Object.freeze({
    id,
    name,
    nodes: Object.freeze(nodes.map((node) => node.name)),
    sourceTopics: topics(false),
    repartitionSources: topics(true),
    repartitionSinks: Object.freeze(nodes.flatMap((node) => (node.kind === 'repartition' ? [node.topic] : []))),
    stores: Object.freeze([...new Set(nodes.flatMap(storesOf).map((store) => store.name))]),
    copartitioned: copartitionedTopics(nodes)
  })
}

/**
 * Topics that reach one key-based step must have the same number of partitions, or equal keys would be counted apart. (Kafka Streams checks
 * joins only; a merge of two topics into one aggregation is the same mistake.) Sets that overlap are one set.
 */
function copartitionedTopics(nodes: readonly Node[]): readonly (readonly string[])[] {
  const groups = new Groups()
  const topicsInto = new Map<string, readonly string[]>()
  for (const node of nodes) {
    const topics = node.kind === 'source' ? node.topics : node.parents.flatMap((parent) => topicsInto.get(parent) ?? [])
    topicsInto.set(node.name, [...new Set(topics)])
    const joins = node.parents.length > 1 && node.kind !== 'merge'
    if (!joins && storesOf(node).length === 0) continue
    for (const topic of topics) groups.join(topics[0], topic)
  }
  const sets = Map.groupBy(new Set([...topicsInto.values()].flat()), (topic) => groups.rootOf(topic))
  return Object.freeze([...sets.values()].filter((set) => set.length > 1).map((set) => Object.freeze(set)))
}

/** Union-find over names. */
class Groups {
  readonly #parents = new Map<string, string>()

  join(left: string, right: string): void {
    this.#parents.set(this.rootOf(right), this.rootOf(left))
  }

  rootOf(name: string): string {
    const parent = this.#parents.get(name)
    return parent === undefined || parent === name ? name : this.rootOf(parent)
  }
}
