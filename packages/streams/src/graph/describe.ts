import { formatDuration } from './duration.ts'
import { type Inventory, inventoryOf, type StoreDescription } from './inventory.ts'
import { lateTopicOf } from './make-late-records.ts'
import type { MapAsyncNode } from './map-async-node.ts'
import type { EmitMode, Node, StoreDefinition, WindowDefinition } from './node.ts'
import { storesOf } from './node-stores.ts'
import { type NodeTiming, timingOf } from './node-timing.ts'
import type { SuppressUntil } from './suppress-node.ts'
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

function whatItDoes(node: Node): { does: string; detail: string } {
  switch (node.kind) {
    case 'source':
      return {
        does: 'source',
        detail: `${node.pattern ?? node.topics.join(', ')} (${node.key.name}, ${node.value.name})`
      }
    case 'sink':
    case 'repartition':
      return { does: node.kind, detail: `${node.topic} (${node.key.name}, ${node.value.name})` }
    case 'stateless':
      return {
        does: node.operator.kind === 'filter' && node.operator.not ? 'filterNot' : node.operator.kind,
        detail: ''
      }
    case 'map-async':
      return { does: 'mapAsync', detail: formatAsync(node) }
    case 'routed-sink':
      return { does: 'sink', detail: `by function (${node.key.name}, ${node.value.name})` }
    case 'split':
      return { does: 'split', detail: '' }
    case 'branch':
      return { does: 'branch', detail: node.branch }
    case 'process':
      return { does: node.verb, detail: storeNames(node.stores) }
    case 'combine':
      return { does: 'combine', detail: `${node.aggregation.kind} of ${node.salts} salts, until the commit` }
    case 'rx':
      return { does: node.operator.verb, detail: `in ${node.store.name}` }
    case 'merge':
      return { does: 'merge', detail: '' }
    case 'table':
      return { does: 'table', detail: `${storeDetail(node)}${formatTtl(node.ttlMs)}` }
    case 'table-filter':
      return { does: node.not ? 'filterNot' : 'filter', detail: storeDetail(node) }
    case 'table-map-values':
      return { does: 'mapValues', detail: storeDetail(node) }
    case 'table-transform-values': {
      const parts = [storeNames(node.stores), storeDetail(node)].filter((part) => part !== '')
      return { does: 'transformValues', detail: parts.join(', result ') }
    }
    case 'table-group':
      return { does: 'groupBy', detail: '' }
    case 'table-aggregate':
      return { does: node.aggregation.kind, detail: storeDetail(node) }
    case 'table-join':
      return { does: joinVerbs[node.join], detail: storeDetail(node) }
    case 'stream-table-join':
      return {
        does: joinVerbs[node.join],
        detail:
          node.grace === undefined ? '' : `grace ${formatDuration(node.grace.graceMs)} in ${node.grace.store.name}`
      }
    case 'stream-global-join':
      return { does: joinVerbs[node.join], detail: `with ${node.global}` }
    case 'stream-join': {
      const { beforeMs, afterMs, graceMs } = node.within
      const [before, after, grace] = [beforeMs, afterMs, graceMs].map(formatDuration)
      return { does: joinVerbs[node.join], detail: `${before} before to ${after} after, grace ${grace}` }
    }
    case 'foreign-key-subscribe':
      return { does: 'foreign-key subscribe', detail: '' }
    case 'foreign-key-answer':
      return { does: 'foreign-key answer', detail: `in ${node.store.name}` }
    case 'foreign-key-result':
      return { does: `foreign-key ${joinVerbs[node.join]}`, detail: '' }
    case 'table-to-stream':
      return { does: 'toStream', detail: '' }
    case 'suppress':
      return { does: 'suppress', detail: `${formatUntil(node.until)} in ${node.store.name}` }
    case 'aggregate':
      return {
        does: node.aggregation.kind,
        detail: `in ${node.store.name}, emits ${node.emit}${formatTtl(node.ttlMs)}`
      }
    case 'windowed-aggregate': {
      const window = formatWindow(node.window)
      const idle = node.idleMs === undefined ? '' : ` or when idle for ${formatDuration(node.idleMs)}`
      return { does: node.aggregation.kind, detail: `${window} in ${node.store.name}, emits ${node.emit}${idle}` }
    }
  }
}

const joinVerbs = { inner: 'join', left: 'leftJoin', outer: 'outerJoin' } as const

function storeDetail({ store, emit }: { readonly store?: StoreDefinition; readonly emit: EmitMode }): string {
  return store === undefined ? '' : `in ${store.name}, emits ${emit}`
}

function formatTtl(ttlMs: number | undefined): string {
  return ttlMs === undefined ? '' : `, rows live ${formatDuration(ttlMs)}`
}

function storeNames(stores: readonly StoreDefinition[]): string {
  return stores.length === 0 ? '' : `in ${stores.map(({ name }) => name).join(', ')}`
}

function formatUntil(until: SuppressUntil): string {
  if (until.kind === 'window-close') {
    return `until the window closes${until.idleMs === undefined ? '' : ` or nothing came for ${formatDuration(until.idleMs)}`}`
  }
  const { limitMs, maxRecords, maxBytes, whenFull } = until
  const bounds = [
    ...(maxRecords === undefined ? [] : [`${maxRecords} records`]),
    ...(maxBytes === undefined ? [] : [`${maxBytes} bytes`])
  ]
  const limit = `for ${formatDuration(limitMs)}`
  return bounds.length === 0 ? limit : `${limit}, at most ${bounds.join(' and ')}, else ${whenFull}`
}

function formatAsync({ order, concurrency, timeoutMs, retry }: MapAsyncNode): string {
  const attempts = retry.maxAttempts === 1 ? '' : `, ${retry.maxAttempts} attempts`
  return `by ${order}, at most ${concurrency} at once, timeout ${formatDuration(timeoutMs)}${attempts}`
}

function formatWindow(window: WindowDefinition): string {
  if (window.kind === 'unlimited') return window.startMs === 0 ? 'unlimited' : `unlimited from ${window.startMs}`
  const grace = `grace ${formatDuration(window.graceMs)}`
  if (window.kind === 'sliding') return `sliding ${formatDuration(window.differenceMs)} ${grace}`
  if (window.kind === 'session') return `sessions ${formatDuration(window.gapMs)} ${grace}`
  const { sizeMs, advanceMs } = window
  if (sizeMs === advanceMs) return `tumbling ${formatDuration(sizeMs)} ${grace}`
  return `hopping ${formatDuration(sizeMs)} by ${formatDuration(advanceMs)} ${grace}`
}
