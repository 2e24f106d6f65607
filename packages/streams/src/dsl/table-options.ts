import type { Duration } from '../graph/duration.ts'
import type { TableEmit, TableRow } from '../graph/table-node.ts'
import type { Serde } from '../serde/serde.ts'
import type { Materialized, NamedStore } from './materialized.ts'
import type { GivenValue, StepOptions, StreamOptions } from './options.ts'
import type { KeyValueStoreHandle } from './store-handle.ts'

/** A program's function over a table of keys `K` and values `V`: the value first, then the row. There is no record: rows are also read later. */
export type TableFunction<K, V, R> = (value: NonNullable<V>, row: TableRow<K>) => R

/** A program's joiner of tables, or of a stream with a table: the left value, the right one, the row. */
export type JoinFunction<K, L, R, Result> = (left: L, right: R, row: TableRow<K>) => Result

/** Of a table that may be kept. */
export interface TableOptions {
  /** Keeps the table under this name, to query it. Default: kept only where something below has to read it, or computed there. */
  readonly store?: NamedStore
  /** For a table that is kept: whether every change goes on at once (default), or the last per key at each commit. */
  readonly emit?: TableEmit
}

/** Of a step from table to table whose result may be kept with its history. */
export interface KeptStepOptions extends TableOptions {
  /** Together with `store`: the result is a versioned table, as with `b.table(topic, { history })`. */
  readonly history?: Duration
}

/** Of a table read from a topic, or made of a stream. */
export interface SourceTableOptions extends Omit<TableOptions, 'store'> {
  /** As for every table. Without a name it says how the table is kept where something below has to read it. */
  readonly store?: string | Materialized
  /**
   * Makes it a versioned table: a row's earlier values are kept for this long in stream time, and a stream joined with it finds the value
   * that was valid at each record's time. Older records than that are dropped.
   */
  readonly history?: Duration
  /**
   * Rows live for so long: a row whose timestamp is this far in the past of stream time, the greatest timestamp that the task has taken in, is deleted,
   * here and downstream. Such a table is kept. Default: a row stays until a null value comes for its key. Not together with `history`.
   */
  readonly ttl?: Duration
}

/** Of `toTable()`. */
export interface StreamTableOptions<K, V> extends Omit<SourceTableOptions, 'store'> {
  /**
   * As for every table; or the handle of a processor's store, which then holds the table: a processor above can read the rows, and send changes for
   * any of them. It should leave the writing to the table.
   */
  readonly store?: string | Materialized | KeyValueStoreHandle<string, NonNullable<K>, NonNullable<V>>
}

/** Of `b.table()`. */
export interface TopicTableOptions<K, V> extends StreamOptions<K, V>, SourceTableOptions {}

/** Of a table's step whose result is kept: how to write it, beside its name. */
export type KeptResultOptions<V> = StepOptions & TableOptions & GivenValue<V>

/** Of an aggregation over a table's rows. */
export interface TableAggregateOptions extends StepOptions {
  /** The store's name, under which it is queried, or how it is kept too. Default: derived, not queryable. */
  readonly store?: string | Materialized
  /** When results go on: the last per key at each commit (default), or every update. */
  readonly emit?: TableEmit
}

/** Of `b.globalTable()`. */
export interface GlobalTableOptions<K, V> {
  readonly key: Serde<K>
  readonly value: Serde<V>
  /** The name of its store. Default: after the topic. */
  readonly store?: string
}
