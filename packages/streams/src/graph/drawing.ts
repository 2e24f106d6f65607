import { describeTopology, type TopologyDescription } from './describe.ts'
import type { Topology } from './topology.ts'

/** What a topology looks like, whatever draws it. Ids are short and have letters and digits only. */
export interface Drawing {
  readonly name: string
  /** One a sub-topology. */
  readonly clusters: readonly { readonly id: string; readonly label: string; readonly shapes: readonly Shape[] }[]
  /** What belongs to no sub-topology: topics, global tables. */
  readonly shapes: readonly Shape[]
  readonly arrows: readonly Arrow[]
}

/** A node, a store or a topic. */
export interface Shape {
  readonly id: string
  readonly kind: 'step' | 'store' | 'topic' | 'internal-topic'
  /** Lines of text. */
  readonly lines: readonly string[]
}

/** From one shape to another; `uses` is that of a step and its store. */
export interface Arrow {
  readonly from: string
  readonly to: string
  readonly kind: 'records' | 'uses'
}

/** Lays a topology out as shapes and arrows. */
export function drawTopology(topology: Topology): Drawing {
  const description = describeTopology(topology)
  const ids = new Ids()
  const clusters = description.subtopologies.map((part) => ({
    id: ids.of(`cluster ${part.id}`),
    label: `sub-topology ${part.id}`,
    shapes: [
      ...part.nodes.map(({ name, does, detail }): Shape => {
        const lines = detail === '' ? [does] : [does, detail]
        return { id: ids.of(`node ${name}`), kind: 'step', lines: [name, ...lines] }
      }),
      ...part.stores.map((name): Shape => ({ id: ids.of(`store ${name}`), kind: 'store', lines: [name] }))
    ]
  }))
  return { name: description.name, clusters, shapes: outside(description, ids), arrows: arrowsOf(description, ids) }
}

function outside(description: TopologyDescription, ids: Ids): Shape[] {
  const internal = new Set(description.repartitions.map(({ name }) => name))
  const nodes = description.subtopologies.flatMap((part) => part.nodes)
  const global = description.globalTables
  const topics = new Set([
    ...nodes.flatMap(({ reads, writes }) => [...reads, ...writes]),
    ...global.map(({ topic }) => topic)
  ])
  return [
    ...[...topics].map((topic): Shape => {
      const kind = internal.has(topic) ? 'internal-topic' : 'topic'
      return { id: ids.of(`topic ${topic}`), kind, lines: [topic] }
    }),
    ...global.map(
      ({ store }): Shape => ({ id: ids.of(`store ${store.name}`), kind: 'store', lines: [store.name, 'global'] })
    )
  ]
}

function arrowsOf(description: TopologyDescription, ids: Ids): Arrow[] {
  const arrows: Arrow[] = []
  const add = (kind: Arrow['kind'], from: string, to: string) =>
    arrows.push({ kind, from: ids.of(from), to: ids.of(to) })
  for (const { name, children, reads, writes, stores } of description.subtopologies.flatMap((part) => part.nodes)) {
    for (const topic of reads) add('records', `topic ${topic}`, `node ${name}`)
    for (const child of children) add('records', `node ${name}`, `node ${child}`)
    for (const topic of writes) add('records', `node ${name}`, `topic ${topic}`)
    for (const store of stores) add('uses', `node ${name}`, `store ${store}`)
  }
  for (const { topic, store } of description.globalTables) add('records', `topic ${topic}`, `store ${store.name}`)
  return arrows
}

/** Numbers things in the order they are first spoken of, so that the same topology gives the same text. */
class Ids {
  readonly #known = new Map<string, string>()

  of(thing: string): string {
    const known = this.#known.get(thing)
    if (known !== undefined) return known
    const id = `n${this.#known.size}`
    this.#known.set(thing, id)
    return id
  }
}
