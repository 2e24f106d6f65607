import type { Serde } from '../serde/serde.ts'
import type { CombineNode } from './combine-node.ts'
import type {
  ForeignKeyAnswerNode,
  ForeignKeyResultNode,
  ForeignKeySubscribeNode,
  GlobalTableDefinition,
  StreamGlobalJoinNode,
  StreamJoinNode,
  StreamTableJoinNode,
  TableJoinNode
} from './join-node.ts'
import type { LateRecords } from './late-records.ts'
import type { MapAsyncNode } from './map-async-node.ts'
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
import type { ProcessNode } from './process-node.ts'
import type { RoutedSinkNode } from './routed-sink-node.ts'
import type { RxNode } from './rx-node.ts'
import type { BranchNode, SplitNode } from './split-node.ts'
import type { SuppressNode } from './suppress-node.ts'
import type {
  TableAggregateNode,
  TableFilterNode,
  TableGroupNode,
  TableMapValuesNode,
  TableNode
} from './table-node.ts'
import type { TableTransformValuesNode } from './transform-node.ts'

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
  /** The same where the parents differ, parent by parent; undefined: that one is where it has to be. */
  readonly keyedSides?: readonly (KeyedInput | undefined)[]
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
  | Body<MapAsyncNode>
  | Body<MergeNode>
  | Body<SplitNode>
  | Body<BranchNode>
  | Body<ProcessNode>
  | Body<TableToStreamNode>
  | AggregateBody
  | WindowedAggregateBody
  | SuppressBody
  | RxBody
  | (Body<CombineNode, 'key' | 'value'> & OpenSerdes)
  | (Body<RepartitionNode, 'topic' | 'key' | 'value'> & OpenSerdes)
  | SinkBody
  | (Body<RoutedSinkNode, 'key' | 'value'> & OpenSerdes)
  | TableBody
  | JoinBody
  | GlobalTableBody

/** Of an aggregation without windows. */
export type AggregateBody = Body<AggregateNode, 'store'> & { readonly store: OpenStore }

/** Of a windowed aggregation. */
export type WindowedAggregateBody = Body<WindowedAggregateNode, 'store' | 'late'> & {
  readonly store: OpenStore
  readonly late?: OpenLateRecords
}

/** What becomes of late records, with serdes that building checks. */
export type OpenLateRecords =
  | Extract<LateRecords, { kind: 'callback' }>
  | { readonly kind: 'topic'; readonly topic: string; readonly serdes: readonly OpenSerdes[] }

/** Of a suppress. */
export type SuppressBody = Body<SuppressNode, 'store' | 'late'> & {
  readonly store: OpenStore
  readonly late?: OpenLateRecords
}

/** Of a durable operator. */
export type RxBody = Body<RxNode, 'store' | 'timers' | 'input'> & {
  readonly store: OpenStore
  readonly timers?: OpenStore
  readonly input: Serde<unknown> | undefined
}

/** Of a sink; `feedback` says that a loop through its topic is meant. */
export type SinkBody = Body<SinkNode, 'key' | 'value'> & OpenSerdes & { readonly feedback: boolean }

/** Of a table that is kept only if it has to be. Whether it is kept, and whether old values are sent, follows from what is below (`table-plan.ts`). */
export type TableBodyOnDemand =
  | Kept<TableNode>
  | Kept<TableFilterNode, 'versioned'>
  | Kept<TableMapValuesNode>
  | Kept<TableTransformValuesNode>
  | Kept<TableJoinNode>

/** Of a step that makes a table, or groups one. */
export type TableBody =
  | TableBodyOnDemand
  | Body<TableGroupNode>
  | (Body<TableAggregateNode, 'store' | 'sendsOld'> & { readonly store: OpenStore })

/** Of a join. */
export type JoinBody =
  | (Body<StreamTableJoinNode, 'grace'> & {
      readonly grace?: {
        readonly graceMs: number
        readonly keys: Serde<unknown> | undefined
        readonly store: OpenStore
      }
    })
  | Body<StreamGlobalJoinNode>
  | (Body<StreamJoinNode, 'stores' | 'late'> & {
      readonly late?: OpenLateRecords
      readonly stores: { readonly left: OpenStore; readonly right: OpenStore; readonly unmatched?: OpenStore }
    })
  | Body<ForeignKeySubscribeNode>
  | (Body<ForeignKeyAnswerNode, 'store'> & { readonly store: OpenStore })
  | Body<ForeignKeyResultNode>

/** Of the definition of a global table, which becomes no node. */
export type GlobalTableBody = Omit<GlobalTableDefinition, 'store'> & {
  readonly kind: 'global-table'
  readonly store: OpenStore
}

type Kept<N extends Node, Without extends keyof N = never> = Body<
  N,
  Without | ('store' & keyof N) | ('sendsOld' & keyof N)
> & {
  readonly store?: OpenStore
}

/** Serdes that building checks. */
export interface OpenSerdes {
  readonly key: Serde<unknown> | undefined
  readonly value: Serde<unknown> | undefined
}

/** A store before it has a name; `name` is the program's. */
export type OpenStore = Omit<StoreDefinition, 'name' | 'named' | 'key' | 'value'> &
  OpenSerdes & {
    readonly name: string | undefined
    /** Of a step with several stores: the name is this one's own, not what all of them begin with. */
    readonly wholeName?: boolean
    /** The store as it is already, of processors that share it. */
    readonly defined?: StoreDefinition
  }

type Body<N extends Node, Without extends keyof N = never> = Omit<N, 'name' | 'parents' | Without>

/** Whether records leave with another key than they came with, so that equal keys may be in different partitions. */
export function changesKey(step: Step): boolean {
  if (step.body.kind === 'table-group' || step.body.kind === 'combine') return true
  if (step.body.kind === 'process') return !step.body.keepsKey
  if (step.body.kind !== 'stateless') return false
  const { kind } = step.body.operator
  return kind === 'map' || kind === 'flatMap' || kind === 'selectKey'
}

/** The store of a step that has one. */
export function storeOf(step: Step): OpenStore | undefined {
  const { body } = step
  switch (body.kind) {
    case 'aggregate':
    case 'windowed-aggregate':
    case 'table-aggregate':
    case 'suppress':
    case 'rx':
    case 'global-table':
      return body.store
  }
  // A table that is kept only because something below reads it has no store in names.
  return isTable(body) && body.store?.name !== undefined ? body.store : undefined
}

/** Whether a step makes a table that is kept only if it has to be. */
export function isTable(body: StepBody): body is TableBodyOnDemand {
  return (
    body.kind === 'table' ||
    body.kind === 'table-filter' ||
    body.kind === 'table-map-values' ||
    body.kind === 'table-transform-values' ||
    body.kind === 'table-join'
  )
}
