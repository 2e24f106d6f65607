import { MillraceError } from '@millrace/log'
import {
  defineTopology,
  hopping,
  type KGroupedStream,
  type KStream,
  type KTable,
  type StreamsBuilder,
  string,
  type TimeWindowedKStream,
  type Topology,
  tumbling,
  type WindowDefinition,
  Windowed
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

/** A table as the stream of its updates, which is all that can be made of it so far. */
type Table = () => Stream

/** What a node's id stands for. A windowed group keeps when it is to emit. */
type Result =
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'grouped'; readonly grouped: Grouped }
  | { readonly kind: 'windowed'; readonly windowed: Windows; readonly options: WindowOptions }
  | { readonly kind: 'table'; readonly table: Table }

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
    return streamOf(streamFrom(node, scope).filter((value, { key }) => keep({ key, value })))
  },
  filterNot: (node, scope) => {
    const drop = predicate(node.fn)
    return streamOf(streamFrom(node, scope).filterNot((value, { key }) => drop({ key, value })))
  },
  mapValues: (node, scope) => {
    const map = mapper(node.fn)
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
  groupBy: (node, scope) => ({
    kind: 'grouped',
    grouped: streamFrom(node, scope).groupBy(keyFunction(node.fn), TEXT_KEY)
  }),
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
    if (from.kind !== 'table') throw new UnsupportedOperatorError(`toStream of a ${from.kind}`)
    return streamOf(from.table())
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
  const named = node.store === undefined ? {} : { store: node.store }
  if (from.kind === 'grouped') return tableOf(aggregated(node.op, from.grouped, { ...named, emit: 'changes' }))
  if (from.kind === 'windowed') return tableOf(aggregatedWindows(node.op, from.windowed, { ...named, ...from.options }))
  throw new UnsupportedOperatorError(`${node.op} of a ${from.kind}`)
}

function aggregated(op: string, grouped: Grouped, options: { store?: string; emit: 'changes' }): Table {
  if (op === 'count') return asText(grouped.count(options))
  if (op === 'reduce') return asText(grouped.reduce(reducer, options))
  return asText(grouped.aggregate(initial, adder, { ...options, ...TEXT_VALUE }))
}

function aggregatedWindows(op: string, windowed: Windows, options: WindowOptions & { store?: string }): Table {
  if (op === 'count') return asText(windowed.count(options))
  if (op === 'reduce') return asText(windowed.reduce(reducer, options))
  return asText(windowed.aggregate(initial, adder, { ...options, ...TEXT_VALUE }))
}

const initial = (): string => '0'
const adder = (value: Text, aggregate: string): string => `${aggregate}+${printed(value)}`
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

/** Keys and values as cases print them. */
function asText<K, V>(table: KTable<K, V>): Table {
  return () => table.toStream().map((value, { key }): readonly [Text, Text] => [keyText(key), valueText(value)], TEXT)
}

function keyText(key: unknown): string {
  return key instanceof Windowed ? `${key.key}@${key.startMs}/${key.endMs}` : String(key)
}

function valueText(value: unknown): Text {
  return value === null ? null : String(value)
}
