import { MillraceError } from '@millrace/log'
import {
  type CogroupedKStream,
  defineTopology,
  type GlobalKTable,
  type KGroupedStream,
  type KGroupedTable,
  type KStream,
  type KTable,
  type StreamsBuilder,
  string,
  type Topology,
  untilTimeLimit,
  untilWindowCloses,
  type Windowed
} from '@millrace/streams'
import type { GoldenNode } from './case.ts'
import { keyFunction, mapper, predicate, printed } from './functions.ts'
import { processStream, splitStream } from './processors.ts'
import { transformTable } from './transformers.ts'
import { aggregateWindows, type WindowedGroup, windowGroup } from './window-operators.ts'

type Text = string | null
type Stream = KStream<Text, Text>
type Grouped = KGroupedStream<string, Text>
/** A table with text values; its keys are text, or windowed text. */
type Table = KTable<string, Text>
type WindowedTable = KTable<Windowed<string>, Text>

/** As in Kafka Streams without names, every step that aggregates one group has an internal topic of its own, if it needs one: it is named after the step. */
type For<T> = (step: string) => T

/** What a node's id stands for. A windowed group keeps when it is to emit. */
type Result =
  | { readonly kind: 'stream'; readonly stream: Stream }
  | { readonly kind: 'branches'; readonly branches: ReadonlyMap<string, Stream> }
  | { readonly kind: 'grouped'; readonly grouped: For<Grouped> }
  | { readonly kind: 'cogrouped'; readonly cogrouped: For<CogroupedKStream<string, Text>> }
  | { readonly kind: 'windowed'; readonly windows: For<WindowedGroup> }
  | { readonly kind: 'table'; readonly table: Table }
  | { readonly kind: 'windowed-table'; readonly table: WindowedTable }
  | { readonly kind: 'global'; readonly global: GlobalKTable<string, Text> }
  | { readonly kind: 'grouped-table'; readonly grouped: For<KGroupedTable<string, Text>> }

/** An operator, or a form of it, that the DSL does not have yet. The case is skipped. */
export class UnsupportedOperatorError extends MillraceError {
  readonly code = 'GOLDEN_UNSUPPORTED_OPERATOR'
  readonly operator: string

  constructor(operator: string) {
    super(`${operator} is not built yet`)
    this.operator = operator
  }
}

/** How a case is run. */
export interface InterpretOptions {
  /** When results go on that are not final: every update at once, as Kafka Streams' with caching off; or the last per key at each commit. */
  readonly emit?: 'changes' | 'commit'
  /**
   * What the first update of an aggregate says that the key was: what the aggregation begins with, as Kafka Streams has it, or nothing. A group of the
   * table takes away what it never had in the first way, if it has a row by then: with several partitions, not each run has.
   */
  readonly firstOldValue?: 'initial' | 'nothing'
  /**
   * What becomes of an answer of a foreign-key join that comes when the left row has changed again: it is dropped, as Kafka Streams has it, or asked for
   * again. Where answers wait for a commit, a deletion may be among what is dropped, and the result stays.
   */
  readonly staleAnswers?: 'dropped' | 'repeated'
}

/** Writes a case's topology down in the DSL, operator by operator. */
export function interpret(
  nodes: readonly GoldenNode[],
  { emit = 'changes', firstOldValue = 'initial', staleAnswers = 'dropped' }: InterpretOptions = {}
): Topology {
  return defineTopology('golden', (builder) => {
    const results = new Map<string, Result>()
    for (const node of nodes) {
      const made = makeNode(node, { builder, nodes, results, emit, firstOldValue, staleAnswers })
      if (made?.kind === 'branches') for (const [id, stream] of made.branches) results.set(id, streamOf(stream))
      else if (made && node.id !== undefined) results.set(node.id, made)
    }
  })
}

interface Scope extends Required<InterpretOptions> {
  readonly builder: StreamsBuilder
  readonly nodes: readonly GoldenNode[]
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
    if (table !== undefined)
      return tableOf(table.filter((value, { key }) => keep({ key, value }), givenStore(node, scope)))
    const windows = windowsFrom(node, scope)
    if (windows !== undefined) {
      return windowsOf(windows.filter((value, { key }) => keep({ key: windowText(key), value })))
    }
    return streamOf(streamFrom(node, scope).filter((value, { key }) => keep({ key, value })))
  },
  filterNot: (node, scope) => {
    const drop = predicate(node.fn)
    const table = tableFrom(node, scope)
    if (table !== undefined)
      return tableOf(table.filterNot((value, { key }) => drop({ key, value }), givenStore(node, scope)))
    const windows = windowsFrom(node, scope)
    if (windows !== undefined) {
      return windowsOf(windows.filterNot((value, { key }) => drop({ key: windowText(key), value })))
    }
    return streamOf(streamFrom(node, scope).filterNot((value, { key }) => drop({ key, value })))
  },
  mapValues: (node, scope) => {
    const map = mapper(node.fn)
    const table = tableFrom(node, scope)
    if (table !== undefined) {
      return tableOf(
        table.mapValues((value, { key }) => map({ key, value }), { ...TEXT_VALUE, ...givenStore(node, scope) })
      )
    }
    const windows = windowsFrom(node, scope)
    if (windows !== undefined) {
      return windowsOf(
        windows.mapValues((value, { key }) => map({ key: windowText(key), value }), {
          ...TEXT_VALUE,
          ...givenStore(node, scope)
        })
      )
    }
    return streamOf(streamFrom(node, scope).mapValues((value, { key }) => map({ key, value }), TEXT_VALUE))
  },
  transformValues: (node, scope) => {
    const { builder } = scope
    const kept = givenStore(node, scope)
    const table = tableFrom(node, scope)
    if (table !== undefined) return tableOf(transformTable(node, { builder, table, keyText: (key) => key, kept }))
    const windows = windowsFrom(node, scope)
    if (windows === undefined) throw new UnsupportedOperatorError('transformValues of a stream')
    return windowsOf(transformTable(node, { builder, table: windows, keyText: windowText, kept }))
  },
  map: (node, scope) => {
    const newKey = keyFunction(node.keyFn)
    const newValue = mapper(node.fn)
    return streamOf(
      streamFrom(node, scope).map((value, { key }) => [newKey(value), newValue({ key, value })] as const, {
        ...TEXT,
        ...nameOf(node)
      })
    )
  },
  selectKey: (node, scope) =>
    streamOf(streamFrom(node, scope).selectKey(keyFunction(node.fn), { ...TEXT_KEY, ...nameOf(node) })),
  flatMap: (node, scope) =>
    streamOf(
      streamFrom(node, scope).flatMap(
        (value, { key }): (readonly [Text, Text])[] => {
          return ['1', '2'].map((suffix) => [printed(key) + suffix, value] as const)
        },
        { ...TEXT, ...nameOf(node) }
      )
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
  split: (node, scope) => ({ kind: 'branches', branches: splitStream(node, streamFrom(node, scope)) }),
  process: (node, scope) => {
    return streamOf(processStream(node, { builder: scope.builder, stream: streamFrom(node, scope) }))
  },
  repartition: (node, scope) => streamOf(streamFrom(node, scope).repartition(nameOf(node))),
  groupByKey: (node, scope) => {
    const stream = streamFrom(node, scope)
    return { kind: 'grouped', grouped: (step) => stream.groupByKey({ name: `${node.id}-${step}` }) }
  },
  groupBy: (node, scope) => {
    const newKey = keyFunction(node.fn)
    const optionsFor = (step: string) => ({ ...TEXT_KEY, name: `${node.id}-${step}` })
    const table = tableFrom(node, scope)
    if (table !== undefined) {
      return { kind: 'grouped-table', grouped: (step) => table.groupBy(newKey, optionsFor(step)) }
    }
    const windows = windowsFrom(node, scope)
    if (windows !== undefined) {
      return { kind: 'grouped-table', grouped: (step) => windows.groupBy(newKey, optionsFor(step)) }
    }
    const stream = streamFrom(node, scope)
    return { kind: 'grouped', grouped: (step) => stream.groupBy(newKey, optionsFor(step)) }
  },
  table: (node, scope) =>
    tableOf(scope.builder.table<string, Text>(node.topic ?? '', { ...TEXT, ...givenStore(node, scope) })),
  versionedTable: ({ topic = '', historyMs = 0 }, { builder }) =>
    tableOf(builder.table<string, Text>(topic, { ...TEXT, history: historyMs })),
  globalTable: ({ topic = '' }, { builder }) => ({
    kind: 'global',
    global: builder.globalTable<string, Text>(topic, TEXT)
  }),
  toTable: (node, scope) => {
    return tableOf(streamFrom(node, scope).toTable({ ...nameOf(node), ...givenStore(node, scope) }))
  },
  join: (node, scope) => join(node, scope),
  leftJoin: (node, scope) => join(node, scope),
  outerJoin: (node, scope) => join(node, scope),
  windowedBy: (node, scope) => {
    const from = resultFrom(node, scope)
    if ((from.kind !== 'grouped' && from.kind !== 'cogrouped') || node.window === undefined) {
      throw new UnsupportedOperatorError(`windowedBy ${from.kind}`)
    }
    const { window, emit = scope.emit } = node
    const { firstOldValue } = scope
    return {
      kind: 'windowed',
      windows: (step) => {
        const group =
          from.kind === 'grouped'
            ? ({ kind: 'grouped', grouped: from.grouped(step) } as const)
            : ({ kind: 'cogrouped', cogrouped: from.cogrouped(step) } as const)
        const windows = windowGroup(group, window, { emit, firstOldValue })
        if (windows === undefined) throw new UnsupportedOperatorError(`windowedBy ${window.type}`)
        return windows
      }
    }
  },
  suppress: (node, scope) => {
    const from = resultFrom(node, scope)
    const bounds = node.maxRecords === undefined ? {} : { maxRecords: node.maxRecords }
    const until =
      node.untilTimeLimitMs === undefined ? untilWindowCloses() : untilTimeLimit(node.untilTimeLimitMs, bounds)
    // Kafka Streams' old value.
    const options = { ...storeOf(node), oldValue: 'latest' } as const
    if (from.kind === 'table') return tableOf(from.table.suppress(until, options))
    if (from.kind !== 'windowed-table') throw new UnsupportedOperatorError(`suppress of a ${from.kind}`)
    return { kind: 'windowed-table', table: from.table.suppress(until, options) }
  },
  cogroup: ({ op, from }, scope) => {
    // Of a group that is named twice Kafka Streams knows one adder, the last one.
    const ids = new Set(typeof from === 'string' ? [from] : from)
    const groups = [...ids].map((id) => {
      const result = resultFrom({ op, from: id }, scope)
      if (result.kind !== 'grouped') throw new UnsupportedOperatorError(`cogroup of a ${result.kind}`)
      const add = (value: Text, aggregate: string): Text => `${aggregate}${id}${printed(value)}`
      return { grouped: result.grouped, add }
    })
    const [first, ...others] = groups
    if (first === undefined) throw new UnsupportedOperatorError('cogroup of nothing')
    return {
      kind: 'cogrouped',
      cogrouped: (step) =>
        others.reduce(
          (cogrouped, { grouped, add }) => cogrouped.cogroup(grouped(step), add),
          first.grouped(step).cogroup<Text>(first.add)
        )
    }
  },
  count: (node, scope) => aggregation(node, scope),
  reduce: (node, scope) => aggregation(node, scope),
  aggregate: (node, scope) => aggregation(node, scope),
  toStream: (node, scope) => {
    const from = resultFrom(node, scope)
    if (from.kind === 'table') return streamOf(keyed(from.table.toStream()))
    if (from.kind !== 'windowed-table') throw new UnsupportedOperatorError(`toStream of a ${from.kind}`)
    return streamOf(
      from.table.toStream().map((value, { key }): readonly [Text, Text] => [windowText(key), value], {
        ...TEXT,
        ...nameOf(node)
      })
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

interface AggregationOptions {
  readonly store?: string
  readonly emit: 'changes' | 'commit'
}

/** Updates go on as was asked, unless the window says final. */
function aggregation(node: GoldenNode, scope: Scope): Result {
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

/** The windowed table a node reads, if it reads one. */
function windowsFrom(node: GoldenNode, scope: Scope): WindowedTable | undefined {
  const result = resultFrom(node, scope)
  return result.kind === 'windowed-table' ? result.table : undefined
}

function windowsOf(table: WindowedTable): Result {
  return { kind: 'windowed-table', table }
}

/** What a node keeps is named after it, so that no two of a case tie. */
function storeOf({ id, store = id }: GoldenNode): { readonly store?: string } {
  return store === undefined ? {} : { store }
}

/** The store the case asks for, of tables that are kept only then, and when such a table's changes go on. */
function givenStore(
  { store, historyMs }: GoldenNode,
  { emit }: Scope
): { readonly store?: string; readonly emit?: Scope['emit']; readonly history?: number } {
  return store === undefined ? {} : { store, emit, ...(historyMs !== undefined && { history: historyMs }) }
}

function nameOf({ id }: GoldenNode): { readonly name?: string } {
  return id === undefined ? {} : { name: id }
}

/** A table's stream has no null keys; to cases it is a stream like any other. */
function keyed(stream: KStream<string, Text>): Stream {
  return stream as unknown as Stream
}

/** A windowed key as cases print it, with Kafka Streams' end of a window without one. */
function windowText({ key, startMs, endMs }: Windowed<string>): string {
  return `${key}@${startMs}/${endMs === Number.MAX_SAFE_INTEGER ? '9223372036854775807' : endMs}`
}

function join(node: GoldenNode, scope: Scope): Result {
  const left = resultFrom({ op: node.op, from: node.left ?? '' }, scope)
  const right = resultFrom({ op: node.op, from: node.right ?? '' }, scope)
  if (left.kind === 'table' && right.kind === 'table' && node.foreignKeyFn === undefined) {
    return tableOf(joinedTables(node, { left: left.table, right: right.table, scope }))
  }
  if (left.kind === 'windowed-table' && right.kind === 'windowed-table' && node.foreignKeyFn === undefined) {
    return windowsOf(joinedTables(node, { left: left.table, right: right.table, scope }))
  }
  if (left.kind === 'table' && right.kind === 'table') {
    const options = {
      ...TEXT_VALUE,
      ...nameOf(node),
      ...givenStore(node, scope),
      foreignKey: keyFunction(node.foreignKeyFn),
      staleAnswers: scope.staleAnswers
    } as const
    if (node.op === 'join') return tableOf(left.table.join(right.table, joiner, options))
    if (node.op === 'leftJoin') return tableOf(left.table.leftJoin(right.table, joiner, options))
  }
  if (left.kind === 'stream') return streamOf(joinedStream(node, left.stream, right))
  throw new UnsupportedOperatorError(`${node.op} of a ${left.kind} and a ${right.kind}`)
}

/** As in Kafka Streams, all joins of a stream go through the same internal topic, if they need one: it is named after the stream. */
function joinedStream(node: GoldenNode, left: Stream, right: Result): Stream {
  const { op } = node
  if (right.kind === 'stream' && node.within !== undefined) {
    const { beforeMs: before, afterMs: after, graceMs: grace } = node.within
    const repartition = { left: streamTopic(node.left), right: streamTopic(node.right) }
    const options = { within: { before, after }, grace, repartition, ...TEXT_VALUE, ...nameOf(node) }
    if (op === 'join') return left.join(right.stream, joiner, options)
    return op === 'leftJoin'
      ? left.leftJoin(right.stream, joiner, options)
      : left.outerJoin(right.stream, joiner, options)
  }
  if (right.kind === 'table' && op !== 'outerJoin') {
    const grace = node.graceMs === undefined ? {} : { grace: node.graceMs }
    const options = { ...TEXT_VALUE, ...nameOf(node), ...grace, repartition: streamTopic(node.left) }
    return op === 'join' ? left.join(right.table, joiner, options) : left.leftJoin(right.table, joiner, options)
  }
  if (right.kind === 'global' && op !== 'outerJoin') {
    const options = { ...TEXT_VALUE, key: keyFunction(node.keyFn) }
    return op === 'join' ? left.join(right.global, joiner, options) : left.leftJoin(right.global, joiner, options)
  }
  throw new UnsupportedOperatorError(`${op} of a stream and a ${right.kind}`)
}

function joinedTables<K>(
  node: GoldenNode,
  { left, right, scope }: { readonly left: KTable<K, Text>; readonly right: KTable<K, Text>; readonly scope: Scope }
): KTable<K, Text> {
  const options = { ...TEXT_VALUE, ...givenStore(node, scope) }
  if (node.op === 'join') return left.join(right, joiner, options)
  return node.op === 'leftJoin' ? left.leftJoin(right, joiner, options) : left.outerJoin(right, joiner, options)
}

function streamTopic(id = ''): string {
  return `${id}-joined`
}

const joiner = (left: Text, right: Text): Text => `${printed(left)}+${printed(right)}`
