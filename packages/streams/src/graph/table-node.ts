import type { NodeBase, StoreDefinition } from './node.ts'

/** What a function over a table knows beside the value: values are computed anew when they are read, so there is no record. */
export interface TableRow<K = unknown> {
  readonly key: K
}

/** When a table's changes go on: at once, or the last per key at each commit. */
export type TableEmit = 'commit' | 'changes'

/** What every node that makes a table has. Records leave it as changes. */
export interface TableNodeBase extends NodeBase {
  /** Absent: not kept; who reads the table computes its values from the tables above. */
  readonly store?: StoreDefinition
  /** `commit` only with a store. */
  readonly emit: TableEmit
  /** Whether something below uses the old values, so that they are computed. */
  readonly sendsOld: boolean
  /** Present when the store keeps every version of a value that was valid in this time before the newest record, milliseconds. */
  readonly historyMs?: number
}

/** The latest record of every key: of a topic, or of a stream (`toTable`). */
export interface TableNode extends TableNodeBase {
  readonly kind: 'table'
  /** A row that was not updated for this long in stream time is removed, milliseconds. Such a table is kept. */
  readonly ttlMs?: number
}

/** Keeps the rows that the predicate is true (or with `not`, false) for. */
export interface TableFilterNode extends TableNodeBase {
  readonly kind: 'table-filter'
  readonly not: boolean
  readonly fn: (value: unknown, row: TableRow) => boolean
  /** The table above has versions: a row that neither was nor is in the result may still hide one that was. */
  readonly versioned: boolean
}

/** A value from each value. */
export interface TableMapValuesNode extends TableNodeBase {
  readonly kind: 'table-map-values'
  readonly fn: (value: unknown, row: TableRow) => unknown
}

/** Sends each row's old and new value to where its new key says: the way into an aggregation of a table. */
export interface TableGroupNode extends NodeBase {
  readonly kind: 'table-group'
  readonly fn: (value: unknown, row: TableRow) => unknown
  /** Serde of the new keys: old and new key are equal when their bytes are. */
  readonly key: StoreDefinition['key']
}

/** count, reduce or aggregate over the rows of a table: what a row was is subtracted, what it is is added. */
export interface TableAggregateNode extends TableNodeBase {
  readonly kind: 'table-aggregate'
  readonly aggregation: TableAggregation
  readonly store: StoreDefinition
}

/** `undefined` from `initial` means that the first value itself begins the aggregate (reduce). */
export interface TableAggregation {
  readonly kind: 'count' | 'reduce' | 'aggregate'
  readonly initial?: () => unknown
  readonly add: (aggregate: unknown, value: unknown, row: TableRow) => unknown
  readonly subtract: (aggregate: unknown, value: unknown, row: TableRow) => unknown
}
