import type { GlobalTableDefinition } from './join-node.ts'
import type { Node, StoreDefinition } from './node.ts'

/** A validated topology: frozen data, to describe, test and run. Nodes are in topological order. */
export interface Topology {
  /** The application's name: prefix of internal topics, the consumer group, the state directory. */
  readonly name: string
  readonly nodes: readonly Node[]
  readonly stores: readonly StoreDefinition[]
  /** Tables of which every instance has all partitions; their stores are not among {@link stores}. */
  readonly globalTables: readonly GlobalTableDefinition[]
  /** Connected components; a repartition node ends one and its source begins another. */
  readonly subtopologies: readonly Subtopology[]
}

/** One component: the unit of which every partition number is a task. */
export interface Subtopology {
  /** Its place in the order of definition, from 0: an edit elsewhere may change it. What outlives the program goes by {@link name}. */
  readonly id: number
  /** The first, by name, of the topics it reads. Unique, since a topology reads a topic once; an edit elsewhere does not change it. */
  readonly name: string
  /** Names of its nodes, in topological order. */
  readonly nodes: readonly string[]
  /** External topics it reads. */
  readonly sourceTopics: readonly string[]
  /** Internal topics it reads, names without the application's prefix. */
  readonly repartitionSources: readonly string[]
  /** Internal topics it writes. */
  readonly repartitionSinks: readonly string[]
  readonly stores: readonly string[]
  /** Sets of topics (internal ones without prefix) that must have the same number of partitions. */
  readonly copartitioned: readonly (readonly string[])[]
}
