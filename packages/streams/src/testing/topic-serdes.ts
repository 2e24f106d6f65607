import { UsageError } from '@millrace/log'
import { lateRecordsOf } from '../graph/make-late-records.ts'
import type { Node, StoreDefinition } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import type { Serde } from '../serde/serde.ts'

/** Serdes of a topic, where the topology does not name it or a test wants others. */
export interface TopicSerdes<K, V> {
  readonly key?: Serde<K>
  readonly value?: Serde<V>
}

/** Both serdes of a topic. */
export interface CompleteSerdes<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
}

/** Serdes of a topic that the topology reads: those given, else those of the source. @throws UsageError when there are none. */
export function inputSerdes<K, V>(topology: Topology, topic: string, given: TopicSerdes<K, V>): CompleteSerdes<K, V> {
  const source = topology.nodes.find((node) => node.kind === 'source' && node.topics.includes(topic))
  const table = topology.globalTables.find((candidate) => candidate.topic === topic)
  return completeSerdes(topic, given, source ?? table?.store)
}

/**
 * Serdes of a topic that the topology writes: those given, else those of what writes it: a sink, late records, a repartition, or the one sink that
 * finds its topics by a function.
 * @throws UsageError when there are none.
 */
export function outputSerdes<K, V>(topology: Topology, topic: string, given: TopicSerdes<K, V>): CompleteSerdes<K, V> {
  const { nodes } = topology
  const sink = nodes.find((node) => node.kind === 'sink' && node.topic === topic)
  const repartition = nodes.find((node) => node.kind === 'repartition' && `${topology.name}-${node.topic}` === topic)
  const [routed, another] = nodes.filter(({ kind }) => kind === 'routed-sink')
  const anywhere = another === undefined ? routed : undefined
  return completeSerdes(topic, given, sink ?? lateSerdes(nodes, topic) ?? repartition ?? anywhere)
}

/** Of the records of several streams only if they are written alike. */
function lateSerdes(nodes: readonly Node[], topic: string): CompleteSerdes<unknown, unknown> | undefined {
  for (const node of nodes) {
    const late = lateRecordsOf(node)
    const [first, ...others] = late?.topic === topic ? late.serdes : []
    if (first === undefined) continue
    const alike = others.every(({ key, value }) => key.name === first.key.name && value.name === first.value.name)
    return alike ? first : undefined
  }
  return undefined
}

function completeSerdes<K, V>(
  topic: string,
  { key, value }: TopicSerdes<K, V>,
  node: Node | StoreDefinition | CompleteSerdes<unknown, unknown> | undefined
): CompleteSerdes<K, V> {
  const known = node !== undefined && 'key' in node && 'value' in node ? node : undefined
  // The topology's serdes are of the types its author gave them; a test that names others asks for those.
  const complete = {
    key: key ?? (known?.key as Serde<K> | undefined),
    value: value ?? (known?.value as Serde<V> | undefined)
  }
  if (complete.key === undefined || complete.value === undefined) {
    throw new UsageError(`the topology neither reads nor writes topic ${topic}: give its serdes { key, value }`)
  }
  return { key: complete.key, value: complete.value }
}
