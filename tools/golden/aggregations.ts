import type { KGroupedTable } from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import {
  type Grouped,
  type Result,
  resultFrom,
  type Scope,
  storeOf,
  type Table,
  TEXT_VALUE,
  type Text,
  tableOf,
  UnsupportedOperatorError
} from './case-results.ts'
import { printed } from './functions.ts'
import { aggregateWindows } from './window-operators.ts'

interface AggregationOptions {
  readonly store?: string
  readonly emit: 'changes' | 'commit'
}

/** Updates go on as was asked, unless the window says final. */
export function aggregation(node: GoldenNode, scope: Scope): Result {
  const from = resultFrom(node, scope)
  const { emit, firstOldValue } = scope
  const { id = '' } = node
  const named = storeOf(node)
  const options = { ...named, emit, firstOldValue }
  if (from.kind === 'grouped') return tableOf(aggregated(node.op, from.grouped(id), options))
  if (from.kind === 'grouped-table') {
    return tableOf(aggregatedRows(node.op, from.grouped(id), { ...named, emit }))
  }
  if (from.kind === 'windowed') {
    return { kind: 'windowed-table', table: aggregateWindows(node.op, from.windows(id), named) }
  }
  if (from.kind === 'cogrouped') {
    return tableOf(from.cogrouped(id).aggregate(initial, { ...options, ...TEXT_VALUE }))
  }
  throw new UnsupportedOperatorError(`${node.op} of a ${from.kind}`)
}

function aggregated(op: string, grouped: Grouped, options: AggregationOptions & Pick<Scope, 'firstOldValue'>): Table {
  if (op === 'count') return grouped.count(options).mapValues(decimal, TEXT_VALUE)
  if (op === 'reduce') return grouped.reduce(reducer, options)
  return grouped.aggregate<Text>(initial, adder, { ...options, ...TEXT_VALUE })
}

function aggregatedRows(op: string, grouped: KGroupedTable<string, Text>, options: AggregationOptions): Table {
  if (op === 'count') return grouped.count(options).mapValues(decimal, TEXT_VALUE)
  if (op === 'reduce') return grouped.reduce(reducer, subtractor, options)
  return grouped.aggregate<Text>({ initial, adder, subtractor }, { ...options, ...TEXT_VALUE })
}

const initial = (): string => '0'
const adder = (value: Text, aggregate: string): string => `${aggregate}+${printed(value)}`
const decimal = (counted: number): Text => String(counted)
const subtractor = (value: Text, aggregate: string): string => `${aggregate}-${printed(value)}`
const reducer = (value: Text, reduced: string): string => `${reduced},${printed(value)}`
