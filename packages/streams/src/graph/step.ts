import type { Serde } from '../serde/serde.ts'
import type {
  AggregateNode,
  MergeNode,
  Node,
  RepartitionNode,
  SinkNode,
  SourceNode,
  StatelessNode,
  StoreDefinition,
  TableToStreamNode,
  WindowedAggregateNode
} from './node.ts'

/**
 * A step as the program wrote it, before names, repartitions and checks: what the DSL collects and `build.ts` turns into nodes. A step
 * refers to the steps it reads, so a list of steps in the order they were written is in topological order.
 */
export interface Step {
  /** The own kind, as it stands in names: `filter`, `count`, `tumbling-1m-count`. */
  readonly verb: string
  /** The name the program gave, if it gave one. */
  readonly label: string | undefined
  readonly parents: readonly Step[]
  /** Present where equal keys must meet in one task: such a step is preceded by a repartition when the key changed before it. */
  readonly keyed?: KeyedInput
  readonly body: StepBody
}

/** What a repartition in front of a key-based step would be made of. */
export interface KeyedInput {
  readonly name: string | undefined
  readonly key: Serde<unknown> | undefined
  readonly value: Serde<unknown> | undefined
}

/** A node without what building finds out: its name, its parents' names, its store's or topic's name, and serdes that may be missing. */
export type StepBody =
  | Body<SourceNode, 'repartitionOf'>
  | Body<StatelessNode>
  | Body<MergeNode>
  | Body<TableToStreamNode>
  | AggregateBody
  | WindowedAggregateBody
  | (Body<RepartitionNode, 'topic' | 'key' | 'value'> & OpenSerdes)
  | SinkBody

/** Of an aggregation without windows. */
export type AggregateBody = Body<AggregateNode, 'store'> & { readonly store: OpenStore }

/** Of a windowed aggregation. */
export type WindowedAggregateBody = Body<WindowedAggregateNode, 'store'> & { readonly store: OpenStore }

/** Of a sink; `feedback` says that a loop through its topic is meant. */
export type SinkBody = Body<SinkNode, 'key' | 'value'> & OpenSerdes & { readonly feedback: boolean }

/** Serdes that building checks. */
export interface OpenSerdes {
  readonly key: Serde<unknown> | undefined
  readonly value: Serde<unknown> | undefined
}

/** A store before it has a name; `name` is the program's. */
export type OpenStore = Omit<StoreDefinition, 'name' | 'named' | 'key' | 'value'> &
  OpenSerdes & { readonly name: string | undefined }

type Body<N extends Node, Without extends keyof N = never> = Omit<N, 'name' | 'parents' | Without>

/** Whether records leave with another key than they came with, so that equal keys may be in different partitions. */
export function changesKey(step: Step): boolean {
  if (step.body.kind !== 'stateless') return false
  const { kind } = step.body.operator
  return kind === 'map' || kind === 'flatMap' || kind === 'selectKey'
}

/** The store of a step that has one. */
export function storeOf(step: Step): OpenStore | undefined {
  return step.body.kind === 'aggregate' || step.body.kind === 'windowed-aggregate' ? step.body.store : undefined
}
