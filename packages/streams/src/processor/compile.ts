import { InvariantError, UsageError } from '@millrace/log'
import type { Node, SourceNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { aggregateProcessor } from './aggregate.ts'
import { combineProcessor } from './combine.ts'
import { foreignKeyAnswerProcessor } from './foreign-key-answer.ts'
import { foreignKeyResultProcessor } from './foreign-key-result.ts'
import { foreignKeySubscribe } from './foreign-key-subscribe.ts'
import { inspected, inspectedAggregation } from './freeze.ts'
import { withIdleClosing } from './idle-closing.ts'
import { withLateRecords } from './late-records.ts'
import { mapAsyncProcessor } from './map-async.ts'
import { processProcessor } from './process.ts'
import type { Forward, Processor } from './processor.ts'
import { rxProcessor } from './rx.ts'
import { repartitionProcessor, routedSinkProcessor, sinkProcessor } from './sink.ts'
import { chooseBranch } from './split.ts'
import { statelessProcessor } from './stateless.ts'
import { streamJoinProcessor } from './stream-join.ts'
import { streamGlobalJoinProcessor, streamTableJoinProcessor } from './stream-table-join.ts'
import { suppressProcessor } from './suppress.ts'
import { tableProcessor } from './table.ts'
import { tableAggregateProcessor } from './table-aggregate.ts'
import { tableFilterProcessor } from './table-filter.ts'
import { tableGroup } from './table-group.ts'
import { tableJoinProcessor } from './table-join.ts'
import { tableMapValuesProcessor } from './table-map-values.ts'
import { tableToStream } from './table-to-stream.ts'
import { tableTransformValuesProcessor } from './table-transform-values.ts'
import { tableViews, type ViewingContext } from './table-view.ts'
import type { ProcessorContext, StageParticipant } from './task-context.ts'
import { transformersOf } from './transformers.ts'
import { UnsentUpdates } from './unsent-updates.ts'
import { windowedAggregateProcessor } from './windowed-aggregate.ts'

/** A sub-topology as plain function calls, for one task. */
export interface CompiledGraph {
  /** By full topic name. */
  readonly sources: ReadonlyMap<string, CompiledSource>
  /** Flushes of the nodes that have one, in topological order: what an earlier one emits may make a later one dirty. */
  readonly flushes: readonly (() => void | Promise<void>)[]
  /** To be waited for before anything else. */
  readonly open: () => Promise<void> | undefined
  readonly close: () => void
}

/** Where a topic's records come in. */
export interface CompiledSource {
  readonly node: SourceNode
  readonly enter: Forward
}

/**
 * Compiles one sub-topology of a topology, children before parents, so that each node is given the function its records go to: its one
 * child's directly, or a loop over several in the order in which they were defined.
 *
 * @throws UsageError when two sources read one topic.
 */
export function compile(topology: Topology, subtopologyId: number, context: ProcessorContext): CompiledGraph {
  const nodes = nodesOf(topology, subtopologyId)
  const children = childrenByParent(nodes)
  const processors = new Map<string, Processor>()
  const computing = { ...context, transformers: transformersOf(context) }
  const views = tableViews(topology.nodes, computing)
  const unsent = new UnsentUpdates()
  const sentViews = tableViews(topology.nodes, computing, unsent)
  const forwardTo = (node: Node): Forward => {
    const targets = (children.get(node.name) ?? []).flatMap(({ child, input }) => {
      const { process, inputs } = processorOf(processors, child)
      const target = inputs === undefined ? process : inputs[input]
      return target === undefined ? [] : [target]
    })
    const onward = node.kind === 'split' ? chooseBranch(node, targets) : fanOut(targets)
    return context.inspect ? inspected(context.inspect, onward) : onward
  }
  for (const node of nodes.toReversed()) {
    const stage = (participant: StageParticipant): void => {
      unsent.note(node.name, participant)
      context.stage(participant)
    }
    processors.set(node.name, compileNode(node, { ...computing, stage, views, sentViews }, forwardTo(node)))
  }

  const compiled = nodes.map((node) => processorOf(processors, node))
  return {
    sources: sourcesByTopic(nodes, context, processors),
    flushes: compiled.flatMap(({ flush }) => (flush ? [flush] : [])),
    open: () => {
      const opening = compiled.flatMap(({ open }) => open?.() ?? [])
      return opening.length === 0 ? undefined : Promise.all(opening).then(() => undefined)
    },
    close: () => {
      for (const { close } of compiled) close?.()
    }
  }
}

function compileNode(node: Node, context: ViewingContext, forward: Forward): Processor {
  switch (node.kind) {
    case 'source':
    case 'merge':
    case 'split':
    case 'branch':
      return { process: forward }
    case 'stateless':
      return statelessProcessor(node.name, node.operator, forward)
    case 'map-async':
      return mapAsyncProcessor(node, context, forward)
    case 'aggregate':
    case 'combine':
    case 'windowed-aggregate':
      return compileAggregation(node, context, forward)
    case 'process':
      return processProcessor(node, context, forward)
    case 'rx':
      return rxProcessor(node, context, forward)
    case 'table':
      return tableProcessor(node, context, forward)
    case 'table-filter':
      return tableFilterProcessor(node, context, forward)
    case 'table-map-values':
      return tableMapValuesProcessor(node, context, forward)
    case 'table-transform-values':
      return tableTransformValuesProcessor(node, context, forward)
    case 'table-group':
      return { process: tableGroup(node, context, forward) }
    case 'table-aggregate':
      return tableAggregateProcessor(node, context, forward)
    case 'table-join':
      return tableJoinProcessor(node, context, forward)
    case 'stream-table-join':
      return streamTableJoinProcessor(node, context, forward)
    case 'stream-global-join':
      return streamGlobalJoinProcessor(node, context, forward)
    case 'stream-join':
      return withLateRecords(node, context, streamJoinProcessor(node, context, forward))
    case 'foreign-key-subscribe':
      return { process: foreignKeySubscribe(node, context, forward) }
    case 'foreign-key-answer':
      return foreignKeyAnswerProcessor(node, context, forward)
    case 'foreign-key-result':
      return foreignKeyResultProcessor(node, context, forward)
    case 'suppress':
      return withIdleClosing(
        node.until.kind === 'window-close' ? node.until : {},
        context,
        suppressProcessor(node, context, forward)
      )
    case 'table-to-stream':
      return { process: tableToStream(forward) }
    case 'routed-sink':
      return { process: routedSinkProcessor(node, context) }
    case 'sink':
      return { process: sinkProcessor(node, context) }
    case 'repartition':
      return { process: repartitionProcessor(node, context) }
  }
}

type AggregationNode = Extract<Node, { kind: 'aggregate' | 'combine' | 'windowed-aggregate' }>

/** With the program's functions watched where that is wanted. */
function compileAggregation(made: AggregationNode, context: ViewingContext, forward: Forward): Processor {
  const { inspect } = context
  const aggregation = inspect ? inspectedAggregation(inspect, made.aggregation) : made.aggregation
  const node = { ...made, aggregation }
  switch (node.kind) {
    case 'aggregate':
      return aggregateProcessor(node, context, forward)
    case 'combine':
      return combineProcessor(node, context, forward)
    case 'windowed-aggregate': {
      const windows = withIdleClosing(node, context, windowedAggregateProcessor(node, context, forward))
      return withLateRecords(node, context, windows)
    }
  }
}

function fanOut(targets: readonly Forward[]): Forward {
  if (targets.length === 0) return () => {}
  if (targets.length === 1) return targets[0]
  return (record) => {
    for (const target of targets) target(record)
  }
}

function nodesOf(topology: Topology, subtopologyId: number): Node[] {
  const subtopology = topology.subtopologies.find(({ id }) => id === subtopologyId)
  if (!subtopology) throw new InvariantError(`topology ${topology.name} has no sub-topology ${subtopologyId}`)
  const names = new Set(subtopology.nodes)
  return topology.nodes.filter(({ name }) => names.has(name))
}

/** A node below another, and as which of its parents that one stands. */
interface Child {
  readonly child: Node
  readonly input: number
}

function childrenByParent(nodes: readonly Node[]): ReadonlyMap<string, readonly Child[]> {
  const children = new Map<string, Child[]>()
  for (const node of nodes) {
    for (const [input, parent] of node.parents.entries()) {
      const siblings = children.get(parent)
      if (siblings) siblings.push({ child: node, input })
      else children.set(parent, [{ child: node, input }])
    }
  }
  return children
}

function sourcesByTopic(
  nodes: readonly Node[],
  context: ProcessorContext,
  processors: ReadonlyMap<string, Processor>
): ReadonlyMap<string, CompiledSource> {
  const sources = new Map<string, CompiledSource>()
  for (const node of nodes) {
    if (node.kind !== 'source') continue
    const topics = node.repartitionOf === undefined ? node.topics : node.topics.map(context.internalTopic)
    for (const topic of topics) {
      const other = sources.get(topic)
      if (other)
        throw new UsageError(
          `topic ${topic} is read by two sources, ${other.node.name} and ${node.name}: read it once and branch`
        )
      sources.set(topic, { node, enter: processorOf(processors, node).process })
    }
  }
  return sources
}

function processorOf(processors: ReadonlyMap<string, Processor>, node: Node): Processor {
  const processor = processors.get(node.name)
  if (!processor) throw new InvariantError(`node ${node.name} comes before its parent in the topology's order`)
  return processor
}
