import { type Inventory, inventoryOf, type StoreDescription } from './inventory.ts'
import { lateTopicOf } from './make-late-records.ts'
import type { Node } from './node.ts'
import { storesOf } from './node-stores.ts'
import { whatItDoes } from './node-text.ts'
import { type NodeTiming, timingOf } from './node-timing.ts'
import type { Topology } from './topology.ts'

/** A topology as plain data: no functions, ready for JSON (`docs/topology.schema.json`), to draw or to compare. */
export interface TopologyDescription extends Inventory {
  /** Version of this form. */
  readonly format: 1
  readonly name: string
  readonly subtopologies: readonly SubtopologyDescription[]
}

/** One component of a {@link TopologyDescription}. */
export interface SubtopologyDescription {
  readonly id: number
  readonly nodes: readonly NodeDescription[]
  readonly stores: readonly string[]
  readonly copartitioned: readonly (readonly string[])[]
}

/** One node of a {@link TopologyDescription}. */
export interface NodeDescription extends NodeTiming {
  readonly name: string
  /** What it does: `source`, `filter`, `count`, `repartition`, `sink` ... */
  readonly does: string
  /** What it does it with: topics and serdes, store, window; empty when there is nothing to say. */
  readonly detail: string
  readonly parents: readonly string[]
  readonly children: readonly string[]
  /** Topics that it reads (a pattern as it is written, between slashes); internal ones without the application's prefix. */
  readonly reads: readonly string[]
  /** Topics that it writes; one chosen by a function is not among them. */
  readonly writes: readonly string[]
  /** Names of the stores that it uses, those of global tables too. */
  readonly stores: readonly string[]
}

/** What a topology is made of. */
export function describeTopology(topology: Topology): TopologyDescription {
  const nodes = new Map(topology.nodes.map((node) => [node.name, node]))
  const childrenOf = Map.groupBy(
    topology.nodes.flatMap((node) => node.parents.map((parent) => ({ parent, child: node.name }))),
    (edge) => edge.parent
  )
  const describeNode = (name: string): NodeDescription[] => {
    const node = nodes.get(name)
    if (node === undefined) return []
    const children = childrenOf.get(name)?.map((edge) => edge.child) ?? []
    return [{ name, ...whatItDoes(node), parents: node.parents, children, ...whatItTouches(node), ...timingOf(node) }]
  }
  return {
    format: 1,
    name: topology.name,
    subtopologies: topology.subtopologies.map((part) => ({
      id: part.id,
      nodes: part.nodes.flatMap(describeNode),
      stores: part.stores,
      copartitioned: part.copartitioned
    })),
    ...inventoryOf(topology, (node) => whatItDoes(node).does)
  }
}

/** The description as text, a line a node: `clicks-filter: filter -> clicks-groupBy`. */
export function formatTopology(topology: Topology): string {
  const { name, subtopologies, globalTables, stores } = describeTopology(topology)
  const lines = [name]
  for (const part of subtopologies) {
    lines.push(`  sub-topology ${part.id}`)
    for (const node of part.nodes) lines.push(`    ${formatNode(node)}`)
    for (const topics of part.copartitioned) lines.push(`    same number of partitions: ${topics.join(', ')}`)
  }
  for (const store of stores) lines.push(...formatKeeping(store))
  for (const { topic, store } of globalTables) {
    const [does] = store.keptBy
    const made = does === 'process' ? `store of ${topic}, processed,` : `table ${topic}`
    lines.push(`  global ${made} (${store.key}, ${store.value}) in ${store.name}`)
  }
  return `${lines.join('\n')}\n`
}

/** What is special about how a store is kept; nothing for most. */
function formatKeeping({ name, changelog, changelogConfigs, engine }: StoreDescription): string[] {
  const configs = Object.entries(changelogConfigs).map(([key, value]) => `${key}=${value}`)
  const parts = [
    ...(engine === null ? [] : ['in memory']),
    ...(changelog === null ? ['without a changelog'] : []),
    ...(configs.length === 0 ? [] : [`changelog with ${configs.join(', ')}`])
  ]
  return parts.length === 0 ? [] : [`  store ${name}: ${parts.join(', ')}`]
}

function formatNode({ name, does, detail, children }: NodeDescription): string {
  const what = detail === '' ? does : `${does} ${detail}`
  return children.length === 0 ? `${name}: ${what}` : `${name}: ${what} -> ${children.join(', ')}`
}

function whatItTouches(node: Node): Pick<NodeDescription, 'reads' | 'writes' | 'stores'> {
  const stores = storesOf(node).map(({ name }) => name)
  switch (node.kind) {
    case 'source':
      return { reads: node.pattern === undefined ? node.topics : [String(node.pattern)], writes: [], stores }
    case 'sink':
    case 'repartition':
      return { reads: [], writes: [node.topic], stores }
    case 'foreign-key-result':
      return { reads: [], writes: node.again === undefined ? [] : [node.again.topic], stores }
    case 'windowed-aggregate':
    case 'suppress':
    case 'stream-join': {
      const late = lateTopicOf(node)
      return { reads: [], writes: late === undefined ? [] : [late], stores }
    }
    case 'stream-global-join':
      return { reads: [], writes: [], stores: [node.global] }
    case 'process':
    case 'table-transform-values':
      return { reads: [], writes: [], stores: [...stores, ...node.globals] }
    default:
      return { reads: [], writes: [], stores }
  }
}
