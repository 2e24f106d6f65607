import { InvariantError } from '@millrace/log'
import { changelogTopicName, internalTopicName } from '../graph/names.ts'
import type { RepartitionNode, StoreDefinition } from '../graph/node.ts'
import type { Subtopology, Topology } from '../graph/topology.ts'
import { CopartitionError, MissingSourceTopicError } from './errors.ts'

/** An internal topic as it should exist. */
export interface InternalTopic {
  /** Full name, with the application's prefix. */
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  /** What the program says of this topic alone. */
  readonly own?: Readonly<Record<string, string>>
}

/** The configurations that an internal topic is made with: Millrace's, then those of all internal topics, then its own. */
export function configsOf({ configs, own }: InternalTopic, ofAll: Readonly<Record<string, string>> = {}) {
  return { ...configs, ...ofAll, ...own }
}

/** Everything that depends on how many partitions the topics have. */
export interface TopicPlan {
  readonly internal: readonly InternalTopic[]
  /** Partitions by full topic name, internal and external. */
  readonly partitions: ReadonlyMap<string, number>
  /** Tasks by sub-topology id. */
  readonly tasks: ReadonlyMap<number, number>
}

/** Windowed changelogs are kept this much longer than their store (Kafka Streams' default). */
const CHANGELOG_EXTRA_RETENTION_MS = 24 * 60 * 60 * 1000
const REPARTITION_SEGMENT_BYTES = 50 * 1024 * 1024

/** Full names of the topics that a sub-topology reads. */
export function sourceTopicsOf(topology: Topology, subtopology: Subtopology): string[] {
  return [
    ...subtopology.sourceTopics,
    ...subtopology.repartitionSources.map((name) => internalTopicName(topology.name, name))
  ]
}

/** Full names of the topics that the topology writes for itself alone. */
export function repartitionTopics(topology: Topology): Set<string> {
  return new Set(
    topology.nodes.flatMap((node) =>
      node.kind === 'repartition' ? [internalTopicName(topology.name, node.topic)] : []
    )
  )
}

/**
 * Works out partitions: of repartition topics (explicit, else as its copartitioned topics, else as the widest topic that feeds
 * it), of tasks (the widest source of the sub-topology) and of changelogs (the tasks). Pure.
 *
 * @param external partitions of the external topics, by name.
 * @throws MissingSourceTopicError, CopartitionError
 */
export function planTopics(topology: Topology, external: ReadonlyMap<string, number>): TopicPlan {
  const partitions = new Map<string, number>()
  const sources = topology.subtopologies.flatMap((subtopology) => subtopology.sourceTopics)
  for (const topic of [...sources, ...topology.globalTables.map((table) => table.topic)]) {
    const count = external.get(topic)
    if (count === undefined) throw new MissingSourceTopicError(topic)
    partitions.set(topic, count)
  }
  const repartitions = topology.nodes.filter((node): node is RepartitionNode => node.kind === 'repartition')
  resolveRepartitions(topology, repartitions, partitions)
  const tasks = new Map(
    topology.subtopologies.map((subtopology) => [
      subtopology.id,
      Math.max(...sourceTopicsOf(topology, subtopology).map((topic) => partitions.get(topic) ?? 0))
    ])
  )
  checkCopartitioning(topology, partitions)
  const internal = [
    ...repartitions.map((node) => repartitionTopic(topology, node, partitions)),
    ...topology.subtopologies.flatMap((subtopology) =>
      subtopology.stores
        .map((name) => storeNamed(topology, name))
        .filter(({ changelog }) => changelog !== false)
        .map((store) => changelogTopic(topology, store, tasks.get(subtopology.id) ?? 0))
    )
  ]
  for (const topic of internal) partitions.set(topic.name, topic.partitions)
  return { internal, partitions, tasks }
}

/**
 * One repartition topic may feed another, so this goes round until nothing new is known. Where topics feed each other in a circle, or one itself by way
 * of a sub-topology that reads and writes it, what is known counts, as in Kafka Streams.
 */
function resolveRepartitions(
  topology: Topology,
  nodes: readonly RepartitionNode[],
  partitions: Map<string, number>
): void {
  let unresolved = nodes
  for (let inCircle = false; unresolved.length > 0; ) {
    const left = unresolved.filter((node) => {
      const count = node.partitions ?? copartitionedCount({ topology, nodes, partitions, inCircle }, node)
      if (count === undefined) return true
      partitions.set(internalTopicName(topology.name, node.topic), count)
      return false
    })
    const stands = left.length === unresolved.length
    if (stands && inCircle) {
      throw new InvariantError(
        `repartition topics feed each other in a circle: ${left.map((node) => node.topic).join(', ')}`
      )
    }
    unresolved = left
    inCircle = stands
  }
}

interface Resolving {
  readonly topology: Topology
  readonly nodes: readonly RepartitionNode[]
  /** By full topic name, as far as known. */
  readonly partitions: ReadonlyMap<string, number>
  /** Whether all others are known: what is not counts for nothing. */
  readonly inCircle: boolean
}

/** As many as an external topic it must match has; else as an internal one that was given a number; else as the widest topic that feeds any of them. */
function copartitionedCount(resolving: Resolving, node: RepartitionNode): number | undefined {
  const { topology, nodes, partitions } = resolving
  const sets = topology.subtopologies.flatMap(({ copartitioned, repartitionSources }) =>
    copartitioned.filter((set) => set.includes(node.topic)).map((set) => ({ set, repartitionSources }))
  )
  for (const { set, repartitionSources } of sets) {
    const external = set.find((topic) => !repartitionSources.includes(topic))
    if (external !== undefined) return partitions.get(external)
  }
  const topics = new Set([node.topic, ...sets.flatMap(({ set }) => set)])
  const matching = nodes.filter(({ topic }) => topics.has(topic))
  const given = matching.find((other) => other.partitions !== undefined)
  if (given !== undefined) return given.partitions
  const leaders = matching.filter(({ follows }) => follows !== true)
  const counts = (leaders.length > 0 ? leaders : matching).map((leader) => widestFeed(resolving, leader))
  return widest(counts, resolving)
}

function widestFeed(resolving: Resolving, node: RepartitionNode): number | undefined {
  const { topology, nodes, partitions } = resolving
  // What follows others has as many partitions as they have.
  const following = new Set(
    nodes.filter(({ follows }) => follows === true).map(({ topic }) => internalTopicName(topology.name, topic))
  )
  const counts = topology.subtopologies
    .filter((subtopology) => subtopology.repartitionSinks.includes(node.topic))
    .flatMap((subtopology) => sourceTopicsOf(topology, subtopology))
    .filter((topic) => !following.has(topic))
    .map((topic) => partitions.get(topic))
  return widest(counts, resolving)
}

/** Undefined while one of them is, or all in a circle. */
function widest(counts: readonly (number | undefined)[], { inCircle }: Resolving): number | undefined {
  const known = counts.filter((count) => count !== undefined)
  return known.length === 0 || (known.length < counts.length && !inCircle) ? undefined : Math.max(...known)
}

function checkCopartitioning(topology: Topology, partitions: ReadonlyMap<string, number>): void {
  for (const subtopology of topology.subtopologies) {
    for (const set of subtopology.copartitioned) {
      const counts = new Map(
        set.map((topic) => {
          const internal = subtopology.repartitionSources.includes(topic)
          const name = internal ? internalTopicName(topology.name, topic) : topic
          return [name, partitions.get(name) ?? 0]
        })
      )
      if (new Set(counts.values()).size > 1) throw new CopartitionError(counts)
    }
  }
}

function repartitionTopic(
  topology: Topology,
  node: RepartitionNode,
  partitions: ReadonlyMap<string, number>
): InternalTopic {
  const name = internalTopicName(topology.name, node.topic)
  return {
    name,
    partitions: partitions.get(name) ?? 0,
    configs: {
      'cleanup.policy': 'delete',
      'retention.ms': '-1',
      'segment.bytes': String(REPARTITION_SEGMENT_BYTES),
      'message.timestamp.type': 'CreateTime'
    }
  }
}

function changelogTopic(topology: Topology, store: StoreDefinition, tasks: number): InternalTopic {
  const name = changelogTopicName(topology.name, store.name)
  const common = { 'message.timestamp.type': 'CreateTime' }
  const own = store.changelog ? { own: store.changelog } : {}
  const isEndless = store.retentionMs === Number.MAX_SAFE_INTEGER
  if (store.kind === 'key-value' || store.kind === 'buffer' || isEndless)
    return { name, partitions: tasks, configs: { 'cleanup.policy': 'compact', ...common }, ...own }
  const retentionMs = (store.retentionMs ?? 0) + CHANGELOG_EXTRA_RETENTION_MS
  return {
    name,
    partitions: tasks,
    configs: { 'cleanup.policy': 'compact,delete', 'retention.ms': String(retentionMs), ...common },
    ...own
  }
}

function storeNamed(topology: Topology, name: string): StoreDefinition {
  const store = topology.stores.find((candidate) => candidate.name === name)
  if (!store)
    throw new InvariantError(`sub-topology names store ${name}, which topology ${topology.name} does not have`)
  return store
}
