import type { TableAggregation, TableEmit } from '../../graph/table-node.ts'
import { long } from '../../serde/long.ts'
import type { Serde } from '../../serde/serde.ts'
import type { Point } from '../draft.ts'
import { keptStore, type Materialized } from '../materialized.ts'
import type { GroupedPoint } from './group-by-key.ts'

/** What count, reduce and aggregate of a grouped table are told. */
export interface TableAggregationOptions {
  readonly name?: string
  readonly store?: string | Materialized
  readonly emit?: TableEmit
  readonly value?: Serde<unknown>
}

/** A program's adder or subtractor: value, aggregate so far, row. */
export type TableAggregateCallback = {
  run(value: unknown, aggregate: unknown, row: { readonly key: unknown }): unknown
}['run']

/** The number of rows per key, as Kafka's Long; a key whose rows are all gone stays with 0. */
export function tableCount(on: GroupedPoint, options: TableAggregationOptions): Point {
  const aggregation: TableAggregation = {
    kind: 'count',
    initial: () => 0,
    add: (counted) => Number(counted) + 1,
    subtract: (counted) => Number(counted) - 1
  }
  return addTableAggregation(on, aggregation, { ...options, value: long() })
}

/** Combines the rows of a key: the first begins as it is, `adder` adds another, `subtractor` takes one out again. */
export function tableReduce(
  on: GroupedPoint,
  fold: { readonly adder: TableAggregateCallback; readonly subtractor: TableAggregateCallback },
  { value = on.point.value, ...options }: TableAggregationOptions
): Point {
  return addTableAggregation(on, { kind: 'reduce', ...valueFirst(fold) }, { ...options, ...(value && { value }) })
}

/** Folds the rows of a key into an aggregate of another type. */
export function tableAggregate(
  on: GroupedPoint,
  fold: {
    readonly initial: () => unknown
    readonly adder: TableAggregateCallback
    readonly subtractor: TableAggregateCallback
  },
  options: TableAggregationOptions
): Point {
  return addTableAggregation(on, { kind: 'aggregate', initial: fold.initial, ...valueFirst(fold) }, options)
}

function valueFirst(fold: { readonly adder: TableAggregateCallback; readonly subtractor: TableAggregateCallback }) {
  const { adder, subtractor } = fold
  return {
    add: (aggregate, value, row) => adder(value, aggregate, row),
    subtract: (aggregate, value, row) => subtractor(value, aggregate, row)
  } satisfies Pick<TableAggregation, 'add' | 'subtract'>
}

function addTableAggregation(
  { point, keyed }: GroupedPoint,
  aggregation: TableAggregation,
  { name, store, emit = 'commit', value }: TableAggregationOptions
): Point {
  const { draft, key } = point
  const step = draft.add({
    verb: aggregation.kind,
    label: name,
    parents: [point.step],
    keyed,
    body: { kind: 'table-aggregate', aggregation, emit, store: { kind: 'key-value', ...keptStore(store), key, value } }
  })
  return { draft, step, key, value }
}
