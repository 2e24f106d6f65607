import { describe, expect, it } from 'vitest'
import { describeTopology, formatTopology } from '../graph/describe.ts'
import { diffTopologies } from '../graph/diff.ts'
import { lintTopology } from '../graph/lint.ts'
import { TopologyError } from '../graph/topology-error.ts'
import { debounceTime } from '../rx/debounce-time.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import type { Materialized } from './materialized.ts'
import type { StreamsBuilder } from './streams-builder.ts'
import { untilTimeLimit } from './suppress-until.ts'
import { sessions, tumbling } from './windows.ts'

const TEXT = { key: string(), value: string() }
const topologyOf = (define: (b: StreamsBuilder) => void) => defineTopology('app', define)
const kept: Materialized = { changelog: { 'segment.ms': '5000' }, engine: 'memory' }

/** How every store of a topology is kept: its name, its changelog's configurations or that it has none, its engine. */
const storesOf = (define: (b: StreamsBuilder) => void) =>
  topologyOf(define).stores.map(({ name, changelog, engine }) => [name, changelog, engine])

const asKept = (name: string) => [name, kept.changelog, kept.engine]

describe('how a store is kept', () => {
  it('is said where a step names its store, of every kind of step', () => {
    const named = (name: string) => ({ ...kept, name })
    const stores = storesOf((b) => {
      const stream = b.stream('in', TEXT)
      const grouped = stream.groupByKey()
      grouped.count({ store: named('count') })
      grouped.windowedBy(tumbling({ size: 1 })).reduce((value) => value, { store: named('tumbling') })
      grouped.windowedBy(sessions({ gap: 1 })).count({ store: named('session') })
      stream.groupByKey({ salt: 2 }).count({ store: named('salted') })
      grouped.cogroup<string>((value) => value).aggregate(() => '', { value: string(), store: named('cogroup') })
      const table = b.table('rows', { ...TEXT, store: named('table') })
      table.filter(() => true, { store: named('filtered') })
      table.mapValues((value) => value, { value: string(), store: named('mapped') })
      table.transformValues((value) => value ?? '', { value: string(), store: named('transformed') })
      table.join(table, (one) => one, { value: string(), store: named('joined') })
      table.groupBy((value) => value ?? '').count({ store: named('grouped') })
      table.suppress(untilTimeLimit(1), { store: named('held') })
      stream.rx(debounceTime(1), { store: named('debounced') })
    })
    const names = ['count', 'tumbling', 'session', 'cogroup', 'table', 'filtered', 'mapped', 'transformed', 'joined']
    const others = ['grouped', 'held', 'salted', 'debounced', 'debounced-timers']
    expect(stores.toSorted()).toEqual([...names, ...others].map(asKept).toSorted())
  })

  it('may be said without a name', () => {
    expect(storesOf((b) => b.stream('in', TEXT).groupByKey().count({ store: kept }))).toEqual([asKept('in-count')])
    const read = storesOf((b) => {
      const table = b.table('rows', { ...TEXT, store: kept })
      b.stream('in', TEXT).join(table, (one) => one)
    })
    expect(read).toEqual([asKept('rows-table')])
    expect(storesOf((b) => b.table('rows', { ...TEXT, store: kept }))).toEqual([])
  })

  it('is said of all stores of a join of streams, or of each', () => {
    const joined = (options: { name?: string; store?: string | Materialized; stores?: object }) =>
      storesOf((b) => {
        const stream = b.stream('in', TEXT)
        stream.leftJoin(b.stream('other', TEXT), (one) => one, { within: 1, ...options })
      })
    const all = ['left', 'right', 'unmatched']
    expect(joined({ name: 'j' })).toEqual(all.map((side) => [`j-${side}`, undefined, undefined]))
    expect(joined({ name: 'j', store: kept })).toEqual(all.map((side) => asKept(`j-${side}`)))
    expect(joined({ name: 'j', store: { ...kept, name: 's' } })).toEqual(all.map((side) => asKept(`s-${side}`)))
    const stores = { right: { name: 'mine', engine: 'memory' }, unmatched: { changelog: false } }
    expect(joined({ store: 's', stores })).toEqual([
      ['s-left', undefined, undefined],
      ['mine', undefined, 'memory'],
      ['s-unmatched', false, undefined]
    ])
  })

  it('is said of records that wait for a versioned table, and of stores for processors', () => {
    const stores = storesOf((b) => {
      const table = b.table('rows', { ...TEXT, history: '1h' })
      const given = b.store('given', { ...TEXT, ...kept })
      const windows = b.windowStore('windows', { ...TEXT, retention: 1, ...kept })
      b.stream('in', TEXT)
        .process(() => undefined, { stores: [given, windows] })
        .repartition()
        .join(table, (one) => one, { grace: '1m', store: { ...kept, name: 'waiting' } })
    })
    expect(stores).toEqual([['rows-table', undefined, undefined], ...['given', 'windows', 'waiting'].map(asKept)])
  })

  it('is part of the description', () => {
    const topology = topologyOf((b) => {
      const grouped = b.stream('in', TEXT).groupByKey()
      grouped.count({ store: { ...kept, name: 'a' } })
      grouped.windowedBy(tumbling({ size: 1 })).count({ store: { name: 'b', changelog: false } })
    })
    expect(describeTopology(topology).stores).toMatchObject([
      { name: 'a', changelog: 'app-a-changelog', changelogConfigs: kept.changelog, engine: 'memory' },
      { name: 'b', changelog: null, changelogConfigs: {}, engine: null }
    ])
    expect(formatTopology(topology)).toContain(
      '  store a: in memory, changelog with segment.ms=5000\n  store b: without a changelog\n'
    )
  })

  it('is told by lint where something is lost', () => {
    const rules = (store: Materialized) =>
      lintTopology(
        topologyOf((b) =>
          b
            .stream('in', TEXT)
            .groupByKey()
            .count({ store: { name: 'n', ...store } })
        )
      )
        .filter(({ rule }) => rule === 'no-changelog')
        .map(({ node, severity, message }) => [node, severity, message])
    expect(rules(kept)).toEqual([])
    expect(rules({ changelog: false })).toEqual([
      ['n-count', 'warning', expect.stringContaining('begins empty wherever its task was not before')]
    ])
    expect(rules({ changelog: false, engine: 'memory' })).toEqual([
      ['n-count', 'warning', expect.stringContaining('begins empty whenever its task starts')]
    ])
  })

  it('is refused where the changelog would lose rows that the store has', () => {
    const define = (policy: string) => () =>
      topologyOf((b) =>
        b
          .stream('in', TEXT)
          .groupByKey()
          .count({ store: { name: 'n', changelog: { 'cleanup.policy': policy } } })
      )
    expect(define('delete')).toThrow(TopologyError)
    expect(define('compact,delete')).toThrow("store 'n' would have cleanup.policy compact,delete")
    expect(define('compact')).not.toThrow()
  })
})

describe('a history', () => {
  const histories = (define: (b: StreamsBuilder) => void) =>
    topologyOf(define).stores.map(({ name, historyMs }) => [name, historyMs])

  it('may be kept of what a step makes of a table, whatever the table is', () => {
    const found = histories((b) => {
      const table = b.table('rows', TEXT)
      table.filter(() => true, { store: 'filtered', history: '1h' })
      table.mapValues((value) => value, { store: { ...kept, name: 'mapped' }, value: string(), history: '1m' })
      table.transformValues((value) => value ?? '', { store: 'transformed', value: string(), history: '1s' })
      b.stream('in', TEXT).join(
        table.filterNot(() => false, { store: 'not', history: '2h' }),
        (one) => one,
        { grace: '1h' }
      )
    })
    expect(found).toEqual(
      expect.arrayContaining([
        ['filtered', 3_600_000],
        ['mapped', 60_000],
        ['transformed', 1_000],
        ['not', 7_200_000]
      ])
    )
  })

  it('needs a name, and is not suppressed', () => {
    const table = (b: StreamsBuilder) => b.table('rows', { ...TEXT, history: '1h' })
    expect(() => topologyOf((b) => table(b).filter(() => true, { history: '1h' }))).toThrow(
      'a table with a history is kept: give it a name'
    )
    expect(() => topologyOf((b) => table(b).suppress(untilTimeLimit(1)))).toThrow('a versioned table is not suppressed')
    expect(() =>
      topologyOf((b) =>
        table(b)
          .filter(() => true, { store: 's' })
          .suppress(untilTimeLimit(1))
      )
    ).not.toThrow()
  })
})

describe('a diff of how stores are kept', () => {
  const counting = (store: Materialized) =>
    describeTopology(
      topologyOf((b) =>
        b
          .stream('in', { key: string(), value: long() })
          .groupByKey()
          .count({ store: { name: 'n', ...store } })
      )
    )
  const change = (before: Materialized, after: Materialized) => {
    const { changes } = diffTopologies(counting(before), counting(after))
    return changes.map(({ outcome, topic, reasons }) => [outcome, topic, reasons.join()])
  }

  it('tells what becomes of what is kept without a changelog', () => {
    const topic = 'app-n-changelog'
    expect(change({}, { changelog: false })).toEqual([
      ['survives', null, expect.stringContaining(`'${topic}' stays behind`)]
    ])
    expect(change({ changelog: false }, {})).toEqual([['new', topic, expect.stringContaining('given up')]])
    expect(change({ changelog: false }, { changelog: false })).toEqual([['survives', null, '']])
    const nothing = { changelog: false, engine: 'memory' } as const
    expect(change(nothing, nothing)).toEqual([])
    expect(change({}, nothing)).toEqual([['orphaned', topic, '']])
  })

  it('tells that configurations of a topic that is there stay', () => {
    expect(change({}, kept)).toEqual([
      [
        'survives',
        'app-n-changelog',
        'changelog configurations: none -> segment.ms=5000; a topic that is there stays as it is'
      ]
    ])
  })

  it('reads descriptions from before stores had such options', () => {
    const { stores, ...rest } = counting({})
    const older = { ...rest, stores: stores.map(({ changelogConfigs: _, engine: __, ...store }) => store) }
    const { changes } = diffTopologies(JSON.parse(JSON.stringify(older)), counting({}))
    expect(changes).toMatchObject([{ outcome: 'survives', reasons: [] }])
  })
})

describe('names', () => {
  it('of aggregations and suppress may be given, beside the names of their stores', () => {
    const { nodes } = topologyOf((b) => {
      const grouped = b.stream('in', { key: string(), value: json<{ n: number }>() }).groupByKey()
      grouped.count({ name: 'counted', store: 'n' })
      grouped.windowedBy(tumbling({ size: 1 })).count({ name: 'per-ms', store: 'w' })
      b.table('rows', TEXT)
        .groupBy((value) => value ?? '', { name: 'by-value' })
        .count({ name: 'rows-counted' })
        .suppress(untilTimeLimit(1), { name: 'quiet', store: 'q' })
    })
    const names = nodes.map(({ name }) => name)
    expect(names).toEqual(expect.arrayContaining(['counted', 'per-ms', 'rows-counted', 'quiet']))
  })
})
