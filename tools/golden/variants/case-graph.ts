import type { GoldenCase, GoldenNode } from '../case.ts'

/** What a node of a case stands for. */
export type NodeKind = 'stream' | 'table' | 'versioned' | 'global' | 'grouped-stream' | 'grouped-table' | 'nothing'

/** A node of a case with what it reads: the node's result, or another fact about it. */
export interface ReadNode<T> {
  readonly node: GoldenNode
  readonly kind: NodeKind
  readonly inputs: readonly { readonly kind: NodeKind; readonly fact: T }[]
  /** Whether what it reads has windows for keys. */
  readonly windowed: boolean
}

/** Works a fact out for each result of a case, from its sources down. By id; of what writes a topic, each of them, or keeps a store also by `topic:` and `store:`. */
export function factsOf<T>(
  { topology }: Pick<GoldenCase, 'topology'>,
  factOf: (read: ReadNode<T>) => T
): ReadonlyMap<string, readonly T[]> {
  const facts = new Map<string, readonly T[]>()
  const kinds = new Map<string, NodeKind>()
  const windowedIds = new Set<string>()
  for (const node of topology) {
    const inputs = inputsOf(node).flatMap((id) => {
      const fact = facts.get(id)?.[0]
      const kind = kinds.get(id)
      return fact === undefined || kind === undefined ? [] : [{ kind, fact }]
    })
    const kind = kindOf(
      node,
      inputs.map((input) => input.kind)
    )
    const windowed = inputsOf(node).some((id) => windowedIds.has(id))
    const fact = factOf({ node, kind, inputs, windowed })
    for (const id of resultsOf(node)) {
      facts.set(id, [fact])
      kinds.set(id, kind)
      if (node.op === 'windowedBy' || (windowed && node.op !== 'toStream')) windowedIds.add(id)
    }
    const topic = `topic:${node.topic}`
    if (node.op === 'to') facts.set(topic, [...(facts.get(topic) ?? []), fact])
    if (node.store !== undefined) facts.set(`store:${node.store}`, [fact])
  }
  return facts
}

/** The facts of all that a case compares: of each of its output topics, and of each of the stores it shows. */
export function comparedFacts<T>(golden: GoldenCase, facts: ReadonlyMap<string, readonly T[]>): (readonly T[])[] {
  const topics = golden.topology.flatMap(({ op, topic }) => (op === 'to' ? [`topic:${topic}`] : []))
  const stores = Object.keys(golden.stores ?? {}).map((store) => `store:${store}`)
  return [...new Set([...topics, ...stores])].flatMap((name) => {
    const found = facts.get(name)
    return found === undefined ? [] : [found]
  })
}

/** Whether what comes out of a node goes, or may go, through an internal topic before anything needs its keys. */
export function isThroughTopic({ op, foreignKeyFn }: GoldenNode): boolean {
  return ['repartition', 'groupBy', 'map', 'selectKey', 'flatMap', 'process'].includes(op) || foreignKeyFn !== undefined
}

/** Ids of what a node reads. */
export function inputsOf({ from = [], left, right }: GoldenNode): string[] {
  return [...(typeof from === 'string' ? [from] : from), left, right].flatMap((id) => id ?? [])
}

function resultsOf({ id, branches, default: fallback }: GoldenNode): string[] {
  if (branches === undefined) return id === undefined ? [] : [id]
  return [...branches.map((branch) => branch.id), ...(fallback === undefined ? [] : [fallback])]
}

function kindOf({ op, store, historyMs }: GoldenNode, [first = 'nothing']: readonly NodeKind[]): NodeKind {
  switch (op) {
    case 'stream':
    case 'toStream':
      return 'stream'
    case 'table':
    case 'toTable':
      return 'table'
    case 'versionedTable':
      return 'versioned'
    case 'globalTable':
      return 'global'
    case 'groupBy':
    case 'groupByKey':
      return first === 'stream' ? 'grouped-stream' : 'grouped-table'
    case 'cogroup':
      return 'grouped-stream'
    case 'count':
    case 'reduce':
    case 'aggregate':
      return 'table'
    case 'join':
    case 'leftJoin':
    case 'outerJoin':
      // A stream is on the left of what gives a stream.
      return first === 'table' || first === 'versioned' ? 'table' : 'stream'
    default:
      if (store === undefined) return first
      // Rows that are kept anew have versions only if these are kept too.
      return historyMs === undefined ? 'table' : 'versioned'
  }
}
