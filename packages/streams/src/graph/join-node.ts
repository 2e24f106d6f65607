import type { Serde } from '../serde/serde.ts'
import type { LateRecords } from './late-records.ts'
import type { NodeBase, RepartitionNode, StoreDefinition } from './node.ts'
import type { ProcessorStore } from './process-context.ts'
import type { RunningProcessor } from './process-node.ts'
import type { StreamRecord } from './record.ts'
import type { TableNodeBase, TableRow } from './table-node.ts'

/** Which side must be there for a result. */
export type JoinKind = 'inner' | 'left' | 'outer'

/** The user's joiner; a missing side is null. */
export type Joiner = (left: unknown, right: unknown, row: TableRow) => unknown

/** Two tables by equal keys. Parents: left, right. */
export interface TableJoinNode extends TableNodeBase {
  readonly kind: 'table-join'
  readonly join: JoinKind
  readonly fn: Joiner
}

/** Each record of a stream with the row of its key. Parents: the stream, the table. */
export interface StreamTableJoinNode extends NodeBase {
  readonly kind: 'stream-table-join'
  readonly join: 'inner' | 'left'
  readonly fn: Joiner
  /** Present when records wait until the stream's time is this much past theirs. */
  readonly grace?: {
    readonly graceMs: number
    /** Of the stream's keys: records of one time go on in the order of their bytes. */
    readonly keys: Serde<unknown>
    readonly store: StoreDefinition
  }
}

/** Each record of a stream with the row of a global table. Parent: the stream. */
export interface StreamGlobalJoinNode extends NodeBase {
  readonly kind: 'stream-global-join'
  readonly join: 'inner' | 'left'
  /** The global table's store. */
  readonly global: string
  readonly mappedKey: (value: unknown, record: StreamRecord) => unknown
  readonly fn: (left: unknown, right: unknown, row: TableRow & { readonly mappedKey: unknown }) => unknown
}

/** A right record is in a left one's window from `beforeMs` before it to `afterMs` after it, both included. */
export interface JoinWindow {
  readonly beforeMs: number
  readonly afterMs: number
  readonly graceMs: number
}

/** Two streams by equal keys and near timestamps. Parents: left, right. */
export interface StreamJoinNode extends NodeBase {
  readonly kind: 'stream-join'
  readonly join: JoinKind
  readonly within: JoinWindow
  readonly fn: Joiner
  /** Of what comes when its window and the grace are past. Absent: it is counted, and no more. */
  readonly late?: LateRecords
  readonly stores: {
    readonly left: StoreDefinition
    readonly right: StoreDefinition
    /** Records that nothing matched yet. Absent for inner joins. */
    readonly unmatched?: StoreDefinition
  }
}

/** First part of a foreign-key join, beside the left table: tells the right table which row wants which of its rows. */
export interface ForeignKeySubscribeNode extends NodeBase {
  readonly kind: 'foreign-key-subscribe'
  readonly join: 'inner' | 'left'
  readonly foreignKey: (value: unknown, row: TableRow) => unknown
  /** Of the foreign key. */
  readonly foreign: Serde<unknown>
  /** Of the left value, whose bytes are hashed. */
  readonly left: Serde<unknown>
}

/** Second part, beside the right table: keeps the subscriptions and answers them. Parents: the subscriptions, the right table. */
export interface ForeignKeyAnswerNode extends NodeBase {
  readonly kind: 'foreign-key-answer'
  readonly store: StoreDefinition
  /** Of the right table's key. */
  readonly foreign: Serde<unknown>
  /** Of the left table's key. */
  readonly primary: Serde<unknown>
}

/** Last part, beside the left table: an answer to what the left row still is becomes a result. Parents: the answers, the left table. */
export interface ForeignKeyResultNode extends NodeBase {
  readonly kind: 'foreign-key-result'
  readonly join: 'inner' | 'left'
  readonly fn: Joiner
  readonly left: Serde<unknown>
  /**
   * How to ask once more: the topic of the subscriptions (without the application's prefix), and what they are made of. Absent: stale answers are
   * dropped.
   */
  readonly again?: {
    readonly topic: string
    readonly foreignKey: (value: unknown, row: TableRow) => unknown
    readonly foreign: Serde<unknown>
    readonly subscription: Serde<unknown>
    /** Where it goes: default murmur2 of the key's bytes. */
    readonly partitioner?: RepartitionNode['partitioner']
  }
}

/** A table of which every instance has all partitions. Not a node: it is no part of any task. */
export interface GlobalTableDefinition {
  readonly topic: string
  /** Kept in memory, read anew at every start; without a changelog. */
  readonly store: StoreDefinition
  readonly updates?: GlobalUpdates
}

/** How the rows of a global table are made, where they are not the records of its topic. */
export interface GlobalUpdates {
  /** Of the topic's records. */
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Called once per start; what it returns is called per record, those with null keys too, from the topic's beginning at every start. */
  readonly make: (store: ProcessorStore) => RunningProcessor
}
