import { InvariantError } from '@millrace/log'
import type { GlobalTableDefinition } from './join-node.ts'
import { makeJoinNode } from './join-nodes.ts'
import { completeSerdes, derivedMark, type Place } from './make-store.ts'
import { globalStoreName, repartitionName } from './names.ts'
import type { Node, SourceNode, StoreDefinition } from './node.ts'
import { NodeNames, refuseTies } from './node-names.ts'
import { storesOf } from './node-stores.ts'
import type { Step } from './step.ts'
import { makeStoredNode } from './stored-nodes.ts'
import { makeTableNode } from './table-nodes.ts'
import { planTables, type TableTraits } from './table-plan.ts'
import { MissingSerdeError } from './topology-error.ts'

/** What the steps of a topology became. */
export interface MadeNodes {
  readonly nodes: readonly Node[]
  readonly stores: readonly StoreDefinition[]
  readonly globalTables: readonly GlobalTableDefinition[]
  /** Names of the sinks that may close a loop. */
  readonly feedback: ReadonlySet<string>
}

/**
 * Turns planned steps into frozen nodes and stores; serdes are complete and names unique when it returns.
 * @throws NameTieError, MissingSerdeError
 */
export function makeNodes(topology: string, steps: readonly Step[]): MadeNodes {
  const nodes: Node[] = []
  const stores: StoreDefinition[] = []
  const globalTables: GlobalTableDefinition[] = []
  const feedback = new Set<string>()
  const tables = planTables(steps)
  const names = new NodeNames(topology, steps)
  /** What the children of a step read: its own node, or the source behind a repartition. */
  const outputOf = new Map<Step, string>()

  for (const step of steps) {
    if (step.body.kind === 'global-table') {
      globalTables.push(makeGlobalTable(step.body, { topology, name: step.body.topic, parents: [] }))
      continue
    }
    const name = names.of(step)
    const parents = Object.freeze(step.parents.map((parent) => outputOf.get(parent) ?? ''))
    const node = makeNode(step, { topology, name, parents }, tables.get(step))
    nodes.push(node)
    // Processors may share a store.
    stores.push(...storesOf(node).filter((store) => !stores.includes(store)))
    if (step.body.kind === 'sink' && step.body.feedback) feedback.add(name)
    if (node.kind === 'repartition') nodes.push(sourceBehind(node))
    outputOf.set(step, node.kind === 'repartition' ? `${name}-source` : name)
  }
  refuseTies(
    topology,
    'store',
    [...stores, ...globalTables.map((table) => table.store)].map((store) => store.name)
  )
  refuseTies(
    topology,
    'internal topic',
    nodes.flatMap((node) => (node.kind === 'repartition' ? [node.topic] : []))
  )
  return { nodes, stores, globalTables, feedback }
}

function makeNode(step: Step, place: Place, table: TableTraits | undefined): Node {
  const { body } = step
  const { name, parents } = place
  switch (body.kind) {
    case 'source':
      return makeSource(body, place)
    case 'stateless':
      return Object.freeze({ ...body, operator: Object.freeze({ ...body.operator }), name, parents })
    case 'map-async':
      return makeMapAsync(body, place)
    case 'merge':
    case 'branch':
    case 'table-to-stream':
      return Object.freeze({ ...body, name, parents })
    case 'aggregate':
    case 'windowed-aggregate':
    case 'suppress':
    case 'rx':
      return makeStoredNode({ step, body, place })
    case 'split':
      return Object.freeze({ ...body, predicates: Object.freeze([...body.predicates]), name, parents })
    case 'process':
      return Object.freeze({
        ...body,
        stores: Object.freeze([...body.stores]),
        globals: Object.freeze([...body.globals]),
        name,
        parents
      })
    case 'table':
    case 'table-filter':
    case 'table-map-values':
    case 'table-transform-values':
    case 'table-join':
    case 'table-group':
    case 'table-aggregate':
      return makeTableNode({ step, body, place, traits: table })
    case 'stream-table-join':
    case 'stream-global-join':
    case 'stream-join':
    case 'foreign-key-subscribe':
    case 'foreign-key-answer':
    case 'foreign-key-result':
      return makeJoinNode({ step, body, place })
    case 'global-table':
      throw new InvariantError(`global table ${body.topic} is no node of topology ${place.topology}`)
    case 'repartition':
      return makeRepartition({ step, body, place })
    case 'combine':
    case 'routed-sink':
      return Object.freeze({ ...body, ...completeSerdes(body, place), name, parents })
    case 'sink': {
      const { feedback: _, ...sink } = body
      return Object.freeze({ ...sink, ...completeSerdes(body, place), name, parents })
    }
  }
}

function makeMapAsync(body: Extract<Step['body'], { kind: 'map-async' }>, { topology, name, parents }: Place): Node {
  if (body.order === 'key' && body.key === undefined)
    throw new MissingSerdeError({ topology, node: name, missing: 'key' })
  return Object.freeze({ ...body, retry: Object.freeze({ ...body.retry }), name, parents })
}

function makeRepartition(made: {
  readonly step: Step
  readonly body: Extract<Step['body'], { kind: 'repartition' }>
  readonly place: Place
}): Extract<Node, { kind: 'repartition' }> {
  const { step, body, place } = made
  const { name, parents } = place
  const serdes = completeSerdes(body, place)
  return Object.freeze({ ...body, ...serdes, ...derivedMark(step.label), topic: repartitionName(step), name, parents })
}

function makeGlobalTable(body: Extract<Step['body'], { kind: 'global-table' }>, place: Place): GlobalTableDefinition {
  const { topic, store: open, updates } = body
  const name = globalStoreName(topic, open.name)
  const store = Object.freeze({ ...open, ...completeSerdes(open, place), name, named: open.name !== undefined })
  return Object.freeze({ topic, store, ...(updates && { updates: Object.freeze({ ...updates }) }) })
}

function sourceBehind(repartition: Extract<Node, { kind: 'repartition' }>): SourceNode {
  return Object.freeze({
    kind: 'source',
    name: `${repartition.name}-source`,
    parents: Object.freeze([]),
    topics: Object.freeze([repartition.topic]),
    key: repartition.key,
    value: repartition.value,
    repartitionOf: repartition.name
  })
}

/** @throws MissingSerdeError, TopologyError */
function makeSource(body: Extract<Step['body'], { kind: 'source' }>, place: Place): SourceNode {
  const { name, parents } = place
  const topics = Object.freeze([...body.topics])
  return Object.freeze({ ...body, ...completeSerdes(body, place), topics, name, parents })
}
