import type { Serde } from '../serde/serde.ts'
import type { CombineNode } from './combine-node.ts'
import type {
  ForeignKeyAnswerNode,
  ForeignKeyResultNode,
  ForeignKeySubscribeNode,
  StreamGlobalJoinNode,
  StreamJoinNode,
  StreamTableJoinNode,
  TableJoinNode
} from './join-node.ts'
import type { LateRecords } from './late-records.ts'
import type { MapAsyncNode } from './map-async-node.ts'
import type { ProcessNode } from './process-node.ts'
import type { StreamRecord } from './record.ts'
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
 * The nodes of a topology: frozen data that the DSL makes and the runtime compiles. A node names its parents; records flow from
 * parents to children. Keys and values are `unknown` here: the DSL's types saw to them.
 */
export type Node =
  | SourceNode
  | StatelessNode
  | MapAsyncNode
  | MergeNode
  | SplitNode
  | BranchNode
  | ProcessNode
  | RxNode
  | CombineNode
  | AggregateNode
  | WindowedAggregateNode
  | TableToStreamNode
  | SuppressNode
  | TableNode
  | TableFilterNode
  | TableMapValuesNode
  | TableTransformValuesNode
  | TableGroupNode
  | TableAggregateNode
  | TableJoinNode
  | StreamTableJoinNode
  | StreamGlobalJoinNode
  | StreamJoinNode
  | ForeignKeySubscribeNode
  | ForeignKeyAnswerNode
  | ForeignKeyResultNode
  | RepartitionNode
  | SinkNode
  | RoutedSinkNode

/** What every node has. */
export interface NodeBase {
  /** Unique in the topology; derived from what the node is (see `names.ts`). */
  readonly name: string
  readonly parents: readonly string[]
}

/** Reads topics. */
export interface SourceNode extends NodeBase {
  readonly kind: 'source'
  readonly topics: readonly string[]
  /** Reads the topics that exist and match, as they come and go; `topics` is empty before (`resolve-patterns.ts`). */
  readonly pattern?: RegExp
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** The record's event time; default: the timestamp on the log. Gets the partition time so far as second argument, -1 at first. */
  readonly timestamp?: (value: unknown, record: StreamRecord, partitionTimeMs: number) => number
  /** Where to begin without a committed offset; default `earliest`. */
  readonly reset?: OffsetReset
  /** The name of the repartition node that feeds it, when the topic is internal. */
  readonly repartitionOf?: string
}

/** Where a source begins without a committed offset: at an end of its topic, at the first record of the last `sinceMs`, or not at all. */
export type OffsetReset = 'earliest' | 'latest' | 'none' | { readonly sinceMs: number }

/** One record in, records out, no state. */
export interface StatelessNode extends NodeBase {
  readonly kind: 'stateless'
  readonly operator: StatelessOperator
}

/** What a stateless node does. `fn` shapes: value first, then the record. */
export type StatelessOperator =
  | { readonly kind: 'filter'; readonly not: boolean; readonly fn: (value: unknown, record: StreamRecord) => boolean }
  | { readonly kind: 'map'; readonly fn: (value: unknown, record: StreamRecord) => readonly [unknown, unknown] }
  | { readonly kind: 'mapValues'; readonly fn: (value: unknown, record: StreamRecord) => unknown }
  | {
      readonly kind: 'flatMap'
      readonly fn: (value: unknown, record: StreamRecord) => Iterable<readonly [unknown, unknown]>
    }
  | { readonly kind: 'flatMapValues'; readonly fn: (value: unknown, record: StreamRecord) => Iterable<unknown> }
  | { readonly kind: 'selectKey'; readonly fn: (value: unknown, record: StreamRecord) => unknown }
  /** `end`: what a program calls it where nothing goes on from it. */
  | {
      readonly kind: 'peek'
      readonly fn: (value: unknown, record: StreamRecord) => void
      readonly end?: 'forEach' | 'print'
    }
  /** `connect(emit)` is called once per task; what it returns is called per value and calls `emit` synchronously. */
  | { readonly kind: 'pipe'; readonly connect: (emit: (value: unknown) => void) => PipedInput }

/** The input end of a compiled `pipe()`. */
export interface PipedInput {
  next(value: unknown): void
  close(): void
}

/** Both inputs, in the order they are processed. */
export interface MergeNode extends NodeBase {
  readonly kind: 'merge'
}

/** count, reduce or aggregate per key. Results are a table: records travel as changes (new and old value). */
export interface AggregateNode extends NodeBase {
  readonly kind: 'aggregate'
  readonly aggregation: Aggregation
  readonly store: StoreDefinition
  readonly emit: EmitMode
  /** A key that was not updated for this long in stream time is removed, milliseconds. */
  readonly ttlMs?: number
  /** True: with emit `changes`, a key's first update says that the key was what `initial` makes. */
  readonly firstFromInitial?: boolean
}

/** The same per key and window. Keys downstream are `Windowed`. */
export interface WindowedAggregateNode extends NodeBase {
  readonly kind: 'windowed-aggregate'
  readonly aggregation: Aggregation
  readonly window: WindowDefinition
  readonly store: StoreDefinition
  readonly emit: EmitMode
  /**
   * With emit `final`: a window that is older than this when it closes, counted back from the newest window's start, is gone without a result
   * (Kafka Streams' retention). Absent: every window has its result.
   */
  readonly finalRetentionMs?: number
  /**
   * Of a cogroup, whose inputs may be far apart in time: what a record of the slower one means for a window that is past the store's retention.
   * True begins the window anew, as Kafka Streams does; else the record is late.
   */
  readonly beginsAnew?: boolean
  /** True: with emit `changes`, the first update of a window says that it was what the aggregate was made of; a session's, that it was nothing. */
  readonly firstFromInitial?: boolean
  /** With emit `final`: when no record has come for so long by the time of day, all windows are closed. */
  readonly idleMs?: number
  /** Absent: records that are late are counted, and no more. */
  readonly late?: LateRecords
}

/** `undefined` from `initial` means the first value itself begins the aggregate (reduce). */
export interface Aggregation {
  readonly kind: 'count' | 'reduce' | 'aggregate'
  /** Makes the aggregate of a key without one. Absent for reduce. */
  readonly initial?: () => unknown
  /**
   * The aggregate with one more value; arguments are the aggregate so far, the value and the record (the user's callback has the value
   * first). Null deletes the key.
   */
  readonly add: (aggregate: unknown, value: unknown, record: StreamRecord) => unknown
  /** Of a cogroup: one for each parent, in the place of `add`. */
  readonly adders?: readonly Aggregation['add'][]
  /** Sessions only: the aggregate of two sessions that became one. Absent for reduce and count, which know how. */
  readonly merge?: (left: unknown, right: unknown, record: StreamRecord) => unknown
}

/** How a key's records are divided. All in milliseconds of event time. */
export type WindowDefinition = TimeWindows | SlidingWindows | SessionWindows | UnlimitedWindows

/** Windows that begin at a record, or end at one, and are `differenceMs` long, both ends included. */
export interface SlidingWindows {
  readonly kind: 'sliding'
  readonly differenceMs: number
  readonly graceMs: number
}

/** Windows from a record to the last that followed within the gap, both ends included. */
export interface SessionWindows {
  readonly kind: 'session'
  readonly gapMs: number
  readonly graceMs: number
}

/** One window, from `startMs` on, that never ends. */
export interface UnlimitedWindows {
  readonly kind: 'unlimited'
  readonly startMs: number
}

/** Windows aligned to the epoch; tumbling when `advanceMs` equals `sizeMs`. */
export interface TimeWindows {
  readonly kind: 'time'
  readonly sizeMs: number
  readonly advanceMs: number
  readonly graceMs: number
}

/** When an aggregation's results go on: the last per key at each commit, every update, or once when the window closes. */
export type EmitMode = 'commit' | 'changes' | 'final'

/** A state store. Its changelog is `<application>-<name>-changelog`. */
export interface StoreDefinition {
  readonly name: string
  readonly kind: 'key-value' | 'window' | 'session' | 'buffer'
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Windows only: how long a window is kept after its start (a session: its end), in stream time. */
  readonly retentionMs?: number
  /** Sessions and sliding windows: an entry of the index lists those of one key in this much time (`state/window-index.ts`). */
  readonly indexBucketMs?: number
  /** Windows only. */
  readonly windowSizeMs?: number
  /** Versioned stores only: how long a version is kept after the next one followed it, in stream time. */
  readonly historyMs?: number
  /** Key-value stores only: how long a row is kept after its timestamp, in stream time. */
  readonly ttlMs?: number
  /** What its changelog is made with beside what Millrace says. False: it has none, and what it holds is lost with its machine. */
  readonly changelog?: false | Readonly<Record<string, string>>
  /** `memory`: in memory, and read anew from its changelog whenever its task starts. Absent: in the application's engine. */
  readonly engine?: 'memory'
  /** True when the user gave the name: it may be queried and survives edits. */
  readonly named: boolean
  /** True when the name is worked out from the steps above: an edit there gives the store another one. */
  readonly derivedName?: true
}

/** A table's changes as a stream of new values. */
export interface TableToStreamNode extends NodeBase {
  readonly kind: 'table-to-stream'
}

/** Writes to an internal topic and is read back by a source: the border of two sub-topologies. */
export interface RepartitionNode extends NodeBase {
  readonly kind: 'repartition'
  /** Name without the application's prefix. */
  readonly topic: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Explicit number of partitions; absent: as many as the widest topic it must match. */
  readonly partitions?: number
  /** True: its partitions are those of the topics it is read with, and do not count where theirs are worked out. */
  readonly follows?: boolean
  /** Whether the program asked for it; else a step by key that follows a change of the key did. */
  readonly explicit: boolean
  /** Null keys go on, since a step below has a use for them; else they are dropped. */
  readonly keepsNullKeys: boolean
  /** True when the topic's name is worked out from the steps above: an edit there gives it another one. */
  readonly derivedName?: true
  /** Where it goes: default murmur2 of the key's bytes. */
  readonly partitioner?: (key: unknown, value: unknown, partitions: number) => number
}

/** Writes to a topic. */
export interface SinkNode extends NodeBase {
  readonly kind: 'sink'
  readonly topic: string
  readonly key: Serde<unknown>
  readonly value: Serde<unknown>
  /** Several partitions get a copy each; none, or undefined, drops the record. Default: murmur2 of the key's bytes. */
  readonly partitioner?: (key: unknown, value: unknown, partitions: number) => number | readonly number[] | undefined
}
