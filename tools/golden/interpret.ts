import { defineTopology, type KStream, type Topology, untilTimeLimit, untilWindowCloses } from '@millrace/streams'
import { aggregation } from './aggregations.ts'
import type { GoldenNode } from './case.ts'
import {
  givenStore,
  type InterpretOptions,
  keyed,
  nameOf,
  type Result,
  resultFrom,
  type Scope,
  storeOf,
  streamFrom,
  streamOf,
  TEXT,
  TEXT_KEY,
  TEXT_VALUE,
  type Text,
  tableFrom,
  tableOf,
  UnsupportedOperatorError,
  windowsFrom,
  windowsOf,
  windowText
} from './case-results.ts'
import { keyFunction, mapper, predicate, printed } from './functions.ts'
import { join } from './joins.ts'
import { processStream, splitStream } from './processors.ts'
import { transformTable } from './transformers.ts'
import { windowGroup } from './window-operators.ts'

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
