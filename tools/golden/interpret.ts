import { MillraceError } from '@millrace/log'
import {
  defineTopology,
  hopping,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type StreamsBuilder,
  string,
  type TimeWindowedKStream,
  type Topology,
  tumbling,
  type WindowDefinition,
  type Windowed
} from '@millrace/streams'
import type { GoldenNode, GoldenWindow } from './case.ts'
import { keyFunction, mapper, predicate, printed } from './functions.ts'

type Text = string | null
type Stream = KStream<Text, Text>
type Grouped = KGroupedStream<string, Text>
type Windows = TimeWindowedKStream<string, Text>
/** Emission, and the retention that Kafka Streams gives a window by itself. */
interface WindowOptions {
  readonly emit: 'changes' | 'final'
  readonly retention: number
}

/** A table with text values; its keys are text, or windowed text. */
type Table = KTable<string, Text>

/** What a node's id stands for. A windowed group keeps when it is to emit. */
type Result =
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'grouped'; readonly grouped: Grouped }
  | { readonly kind: 'windowed'; readonly windowed: Windows; readonly options: WindowOptions }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'windowed-table'; readonly table: KTable<Windowed<string>, Text> }
  | { readonly kind: 'grouped-table'; readonly grouped: KGroupedTable<string, Text> }

/** An operator, or a form of it, that the DSL does not have yet. The case is skipped. */
export class UnsupportedOperatorError extends MillraceError {
  readonly code = 'GOLDEN_UNSUPPORTED_OPERATOR'
  readonly operator: string

  constructor(operator: string) {
    super(`${operator} is not built yet`)
    this.operator = operator
  }
}

/** Writes a case's topology down in the DSL, operator by operator. */
export function interpret(nodes: readonly GoldenNode[]): Topology {
  return defineTopology('golden', (builder) => {
    const results = new Map<string, Result>()
    for (const node of nodes) {
      const made = makeNode(node, { builder, results })
      if (made && node.id !== undefined) results.set(node.id, made)
    }
  })
}

interface Scope {
  readonly builder: StreamsBuilder
  readonly results: ReadonlyMap<string, Result>
}

function makeNode(node: GoldenNode, scope: Scope): Result | undefined {
  const make = operators[node.op]
  if (make === undefined) throw new UnsupportedOperatorError(node.op)
  return make(node, scope)
}

const operators: Readonly<Record<string, (node: GoldenNode, scope: Scope) => Result | undefined>> = {
  stream: ({ topic = '' }, { builder }) => streamOf(builder.stream<Text, Text>(topic, TEXT)),
  filter: (node, scope) => {
    const keep = predicate(node.fn)
    const table = tableFrom(node, scope)
    if (table !== undefined) return tableOf(table.filter((value, { key }) => keep({ key, value })))
    return streamOf(streamFrom(node, scope).filter((value, { key }) => keep({ key, value })))
  },
  filterNot: (node, scope) => {
    const drop = predicate(node.fn)
    const table = tableFrom(node, scope)
    if (table !== undefined) return tableOf(table.filterNot((value, { key }) => drop({ key, value })))
    return streamOf(streamFrom(node, scope).filterNot((value, { key }) => drop({ key, value })))
  },
  mapValues: (node, scope) => {
    const map = mapper(node.fn)
    const table = tableFrom(node, scope)
    if (table !== undefined) {
      return tableOf(table.mapValues((value, { key }) => map({ key, value }), { ...TEXT_VALUE, ...storeOf(node) }))
    }
    return streamOf(streamFrom(node, scope).mapValues((value, { key }) => map({ key, value }), TEXT_VALUE))
  },
  map: (node, scope) => {
    const newKey = keyFunction(node.keyFn)
    const newValue = mapper(node.fn)
    return streamOf(
      streamFrom(node, scope).map((value, { key }) => [newKey(value), newValue({ key, value })] as const, TEXT)
    )
  },
  selectKey: (node, scope) => streamOf(streamFrom(node, scope).selectKey(keyFunction(node.fn), TEXT_KEY)),
  flatMap: (node, scope) =>
    streamOf(
      streamFrom(node, scope).flatMap((value, { key }): (readonly [Text, Text])[] => {
        return ['1', '2'].map((suffix) => [printed(key) + suffix, value] as const)
      }, TEXT)
    ),
  flatMapValues: (node, scope) =>
    streamOf(
      streamFrom(node, scope).flatMapValues(
        (value): Text[] => (value === null ? [] : [value, value + value]),
        TEXT_VALUE
      )
    ),
  merge: ({ from, op }, scope) => {
    const [left = '', right = ''] = typeof from === 'string' ? [] : (from ?? [])
    const other: KStream<Text, Text> = streamFrom({ op, from: right }, scope)
    return streamOf(streamFrom({ op, from: left }, scope).merge(other))
  },
  repartition: (node, scope) => streamOf(streamFrom(node, scope).repartition()),
  groupByKey: (node, scope) => ({ kind: 'grouped', grouped: streamFrom(node, scope).groupByKey() }),
  groupBy: (node, scope) => {
    const table = tableFrom(node, scope)
    if (table !== undefined) return { kind: 'grouped-table', grouped: table.groupBy(keyFunction(node.fn), TEXT_KEY) }
    return { kind: 'grouped', grouped: streamFrom(node, scope).groupBy(keyFunction(node.fn), TEXT_KEY) }
  },
  table: (node, { builder }) => tableOf(builder.table<string, Text>(node.topic ?? '', { ...TEXT, ...storeOf(node) })),
  toTable: (node, scope) => {
    return tableOf(streamFrom(node, scope).toTable(storeOf(node)))
  },
  join: (node, scope) => join(node, scope),
  leftJoin: (node, scope) => join(node, scope),
  outerJoin: (node, scope) => join(node, scope),
  windowedBy: (node, scope) => {
    const { window, emit = 'changes' } = node
    const grouped = resultFrom(node, scope)
    if (grouped.kind !== 'grouped' || window === undefined)
      throw new UnsupportedOperatorError(`windowedBy ${grouped.kind}`)
    const options: WindowOptions = { emit, retention: window.sizeMs + window.graceMs }
    return { kind: 'windowed', windowed: grouped.grouped.windowedBy(windowOf(window)), options }
  },
  count: (node, scope) => aggregation(node, scope),
  reduce: (node, scope) => aggregation(node, scope),
  aggregate: (node, scope) => aggregation(node, scope),
  toStream: (node, scope) => {
    const from = resultFrom(node, scope)
    if (from.kind === 'table') return streamOf(keyed(from.table.toStream()))
    if (from.kind !== 'windowed-table') throw new UnsupportedOperatorError(`toStream of a ${from.kind}`)
    return streamOf(
      from.table.toStream().map((value, { key }): readonly [Text, Text] => [windowText(key), value], TEXT)
    )
  },
  to: (node, scope) => {
    streamFrom(node, scope).to(node.topic ?? '')
    return undefined
  }
}

const TEXT_KEY = { key: string() }
const TEXT_VALUE = { value: string() }
const TEXT = { ...TEXT_KEY, ...TEXT_VALUE }

/** Every update goes on at once, as with Kafka Streams' caching off, unless the window says final. */
function aggregation(node: GoldenNode, scope: Scope): Result {
  const from = resultFrom(node, scope)
  const named = storeOf(node)
  if (from.kind === 'grouped') return tableOf(aggregated(node.op, from.grouped, { ...named, emit: 'changes' }))
  if (from.kind === 'grouped-table') {
    return tableOf(aggregatedRows(node.op, from.grouped, { ...named, emit: 'changes' }))
  }
  if (from.kind === 'windowed') {
    return { kind: 'windowed-table', table: aggregatedWindows(node.op, from.windowed, { ...named, ...from.options }) }
  }
  throw new UnsupportedOperatorError(`${node.op} of a ${from.kind}`)
}

function aggregated(op: string, grouped: Grouped, options: { store?: string; emit: 'changes' }): Table {
  if (op === 'count') return grouped.count(options).mapValues(decimal, TEXT_VALUE)
  if (op === 'reduce') return grouped.reduce(reducer, options)
  return grouped.aggregate<Text>(initial, adder, { ...options, ...TEXT_VALUE })
}

function aggregatedRows(
  op: string,
  grouped: KGroupedTable<string, Text>,
  options: { store?: string; emit: 'changes' }
): Table {
  if (op === 'count') return grouped.count(options).mapValues(decimal, TEXT_VALUE)
  if (op === 'reduce') return grouped.reduce(reducer, subtractor, options)
  return grouped.aggregate<Text>({ initial, adder, subtractor }, { ...options, ...TEXT_VALUE })
}

function aggregatedWindows(
  op: string,
  windowed: Windows,
  options: WindowOptions & { store?: string }
): KTable<Windowed<string>, Text> {
  if (op === 'count') return windowed.count(options).mapValues(decimal, TEXT_VALUE)
  if (op === 'reduce') return windowed.reduce(reducer, options)
  return windowed.aggregate<Text>(initial, adder, { ...options, ...TEXT_VALUE })
}

const initial = (): string => '0'
const adder = (value: Text, aggregate: string): string => `${aggregate}+${printed(value)}`
const decimal = (counted: number): Text => String(counted)
const subtractor = (value: Text, aggregate: string): string => `${aggregate}-${printed(value)}`
const reducer = (value: Text, reduced: string): string => `${reduced},${printed(value)}`

function windowOf({ type, sizeMs, advanceMs = sizeMs, graceMs }: GoldenWindow): WindowDefinition {
  if (type === 'tumbling') return tumbling({ size: sizeMs, grace: graceMs })
  if (type === 'hopping') return hopping({ size: sizeMs, advance: advanceMs, grace: graceMs })
  throw new UnsupportedOperatorError(`windowedBy ${type}`)
}

function streamOf(stream: Stream): Result {
  return { kind: 'stream', stream }
}

function tableOf(table: Table): Result {
  return { kind: 'table', table }
}

function resultFrom({ op, from }: GoldenNode, { results }: Scope): Result {
  const result = typeof from === 'string' ? results.get(from) : undefined
  if (result === undefined) throw new UnsupportedOperatorError(op)
  return result
}

function streamFrom(node: GoldenNode, scope: Scope): Stream {
  const result = resultFrom(node, scope)
  if (result.kind !== 'stream') throw new UnsupportedOperatorError(`${node.op} of a ${result.kind}`)
  return result.stream
}

/** The table a node reads, if it reads one. */
function tableFrom(node: GoldenNode, scope: Scope): Table | undefined {
  const result = resultFrom(node, scope)
  return result.kind === 'table' ? result.table : undefined
}

function storeOf({ store }: GoldenNode): { readonly store?: string } {
  return store === undefined ? {} : { store }
}

/** A table's stream has no null keys; to cases it is a stream like any other. */
function keyed(stream: KStream<string, Text>): Stream {
  return stream as unknown as Stream
}

/** A windowed key as cases print it. */
function windowText({ key, startMs, endMs }: Windowed<string>): string {
  return `${key}@${startMs}/${endMs}`
}

function join(node: GoldenNode, scope: Scope): Result {
  const left = resultFrom({ op: node.op, from: node.left ?? '' }, scope)
  const right = resultFrom({ op: node.op, from: node.right ?? '' }, scope)
  if (left.kind === 'table' && right.kind === 'table' && node.foreignKeyFn === undefined) {
    return tableOf(joinedTables(node, left.table, right.table))
  }
  throw new UnsupportedOperatorError(`${node.op} of a ${left.kind} and a ${right.kind}`)
}

function joinedTables(node: GoldenNode, left: Table, right: Table): Table {
  const options = { ...TEXT_VALUE, ...storeOf(node) }
  if (node.op === 'join') return left.join(right, joiner, options)
  return node.op === 'leftJoin' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options)
}

const joiner = (left: Text, right: Text): Text => `${printed(left)}+${printed(right)}`
