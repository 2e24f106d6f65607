import type { AsyncCall } from '../graph/map-async-node.ts'
import type { StreamRecord } from '../graph/record.ts'
import type { TableRow } from '../graph/table-node.ts'

/** A program's function over a stream of keys `K` and values `V`: the value first, then the record. */
export type StreamFunction<K, V, R> = (value: V, record: StreamRecord<K, V>) => R

/**
 * A program's function as the graph keeps it. Written as a method so that TypeScript lets the typed function of a stream stand for it: this
 * is the one place where the types of keys and values are laid down, since the stream's own types saw to them.
 */
export type Callback<R> = { run(value: unknown, record: StreamRecord): R }['run']

/** A program's asynchronous function: value, record, call. */
export type AsyncCallback = { run(value: unknown, record: StreamRecord, call: AsyncCall): unknown }['run']

/** A program's reducer or aggregator: value, aggregate so far, record. */
export type AggregateCallback = { run(value: unknown, aggregate: unknown, record: StreamRecord): unknown }['run']

/** A program's function over a table: value, row. */
export type TableCallback<R> = { run(value: unknown, row: TableRow): R }['run']

/** A program's joiner: left value, right value, row. */
export type JoinCallback = { run(left: unknown, right: unknown, row: TableRow): unknown }['run']

/** A program's choice of a partition, from 0 to below `partitions`. */
export type PartitionCallback = { run(key: unknown, value: unknown, partitions: number): number }['run']

/** A program's choice of a partition by the key alone. */
export type KeyPartitionCallback = { run(key: unknown, partitions: number): number }['run']

/** A program's choice of partitions of a topic: one, several for a copy each, or none. */
export type SinkPartitionCallback = {
  run(key: unknown, value: unknown, partitions: number): number | readonly number[] | undefined
}['run']

/** A program's merger of two sessions' aggregates. */
export type MergeCallback = { run(left: unknown, right: unknown, record: StreamRecord): unknown }['run']
