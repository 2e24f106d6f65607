import { UsageError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { TopologyError } from '../graph/topology-error.ts'
import { bufferTime } from '../rx/buffer-time.ts'
import { throttleTime } from '../rx/throttle-time.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { string } from '../serde/string.ts'
import { uuid } from '../serde/uuid.ts'
import { defineTopology } from './define-topology.ts'
import { untilTimeLimit, untilWindowCloses } from './suppress-until.ts'
import { hopping, sessions, sliding, tumbling, unlimited } from './windows.ts'

/** As a program without types sees the builder: any method of anything, with any arguments. */
interface Untyped {
  (...given: unknown[]): Untyped
  readonly [method: string]: Untyped
}
const untyped = (value: unknown): Untyped => value as Untyped

const SERDES = { key: string(), value: json<number>() }

function refusal(define: (b: Untyped, stream: Untyped) => unknown): unknown {
  try {
    defineTopology('app', (b) => void define(untyped(b), untyped(b.stream('in', SERDES))))
    return undefined
  } catch (error) {
    return error
  }
}

const cases: readonly (readonly [(b: Untyped, stream: Untyped) => unknown, string])[] = [
  [(b) => b.stream('a'), 'b.stream(a) needs { key: string(), value: json() }, or the like, and was given undefined'],
  [(b) => b.table('a'), 'b.table(a) needs { key: string(), value: json() }'],
  [(b) => b.globalTable('a'), 'b.globalTable(a) needs { key: string(), value: json() }'],
  [(b) => b.store('s'), 'b.store(s) needs { key: string(), value: json() }'],
  [(b) => b.windowStore('s'), "b.windowStore(s) needs { key: string(), value: json() } and { retention: '1h' }"],
  [(b) => b.stream(undefined, SERDES), "topology 'app': source: a topic is a text or a pattern, not undefined"],
  [(b) => b.stream('a', { ...SERDES, reset: 'begin' }), "reset is 'begin': it is 'earliest', 'latest', 'none'"],
  [(_, s) => s.filter(), "topology 'app': filter needs a function where it was given undefined"],
  [(_, s) => s.mapValues('x', { name: 'twice' }), "topology 'app': mapValues 'twice' needs a function"],
  [(_, s) => s.split({ even: true }), "topology 'app': split needs a function where it was given true"],
  [(_, s) => s.process(), "topology 'app': process needs a function where it was given undefined"],
  [(_, s) => s.process({}), "topology 'app': process needs a function where it was given undefined"],
  [(_, s) => s.to(), "topology 'app': to needs a topic, or a function that says one"],
  [(_, s) => s.to('out', { partitioner: 3 }), "topology 'app': to needs a function where it was given 3"],
  [(_, s) => s.merge(), 'merge: a stream is merged with a stream of the same topology'],
  [(_, s) => s.rx(), "topology 'app': rx needs debounceTime('5s'), or the like, and was given undefined"],
  [(_, s) => s.groupByKey().reduce(), "topology 'app': reduce needs a function"],
  [
    (_, s) => s.groupByKey().aggregate(0, () => 1, SERDES),
    "topology 'app': aggregate needs a function where it was given 0"
  ],
  [
    (_, s) => s.groupByKey().aggregate(() => 0, 1, SERDES),
    "topology 'app': aggregate needs a function where it was given 1"
  ],
  [(_, s) => s.groupByKey().collect(), "topology 'app': collect needs average((value) => value.price), or the like"],
  [(_, s) => s.groupByKey().count({ emit: 'now' }), "count: emit is 'now': it is 'commit', 'changes', 'final'"],
  [(_, s) => s.groupByKey().windowedBy(), "topology 'app': windowedBy needs tumbling({ size: '1m' }), or the like"],
  [(_, s) => s.groupByKey().count().suppress(), "topology 'app': suppress needs untilWindowCloses(), or the like"],
  [(b, s) => s.join(b.table('t', SERDES), undefined, SERDES), "topology 'app': join needs a function"],
  [
    (b) => b.table('l', SERDES).join(b.table('r', SERDES), () => 1, { foreignKey: 'id', ...SERDES }),
    "topology 'app': foreignKeyJoin needs a function where it was given 'id'"
  ]
]

/** Mistyped options, and what is said of them. */
const mistyped: readonly (readonly [(b: Untyped, stream: Untyped) => unknown, string])[] = [
  [
    (b) => b.stream('a', { ...SERDES, rest: 'latest' }),
    "topology 'app': stream has no option 'rest': there are key, name"
  ],
  [(b) => b.table('a', { ...SERDES, histori: '1h' }), "table has no option 'histori'"],
  [(b) => b.store('s', { ...SERDES, engin: 'memory' }), "store has no option 'engin'"],
  [
    (b) => b.windowStore('s', { ...SERDES, retention: '1h', bykey: true }),
    "windowStore has no option 'bykey': there are byKey, changelog, engine, key, retention, size, value"
  ],
  [(_, s) => s.filter(() => true, { nme: 'x' }), "filter has no option 'nme': there are name"],
  [(_, s) => s.mapValues((v: unknown) => v, { name: 'twice', vlue: json() }), "mapValues 'twice' has no option 'vlue'"],
  [(_, s) => s.pipe({ volatil: true }), "pipe has no option 'volatil'"],
  [(_, s) => s.split({ even: () => true }, { defalt: 'odd' }), "split has no option 'defalt'"],
  [(_, s) => s.process(() => 1, { store: [] }), "process has no option 'store'"],
  [(_, s) => s.groupByKey().count({ retension: '1h' }), "count has no option 'retension'"],
  [(_, s) => s.groupByKey().count({ store: { nme: 'x' } }), "count: store has no option 'nme'"],
  [(_, s) => s.groupByKey().count({ emit: { evry: '5s' } }), "count: emit has no option 'evry': there are every"],
  [
    (_, s) =>
      s
        .groupByKey()
        .windowedBy(tumbling({ size: 1 }))
        .count({ retension: '1h' }),
    "count has no option 'retension': there are emit, firstOldValue, idle, name, retention, store, value"
  ],
  [
    (_, s) =>
      s
        .groupByKey()
        .windowedBy(sessions({ gap: 1 }))
        .count({ retension: '1h' }),
    "no option 'retension'"
  ],
  [
    (_, s) => s.groupByKey().windowedBy(tumbling({ size: 1 }), { onlate: () => 1 }),
    "windowedBy has no option 'onlate'"
  ],
  [(_, s) => s.groupByKey({ salt: 2 }).count({ ttl: '1h' }), "count has no option 'ttl'"],
  [(_, s) => s.groupBy((v: unknown) => v, { ...SERDES, salts: 2 }), "groupBy has no option 'salts'"],
  [(_, s) => s.join(s, () => 1, { within: 5, grase: 5 }), "join has no option 'grase'"],
  [(_, s) => s.join(s, () => 1, { within: { before: 5, afer: 5 } }), "join: within has no option 'afer'"],
  [(b, s) => s.join(b.table('t', SERDES), () => 1, { within: 5 }), "join has no option 'within': there are grace, key"],
  [(b, s) => s.leftJoin(b.globalTable('g', SERDES), () => 1, { ky: () => 1 }), "leftJoin has no option 'ky'"],
  [
    (b) => b.table('l', SERDES).join(b.table('r', SERDES), () => 1, { foreignKey: () => 1, stor: 'x' }),
    "join has no option 'stor'"
  ],
  [
    (b) => b.table('l', SERDES).outerJoin(b.table('r', SERDES), () => 1, { stor: 'x' }),
    "outerJoin has no option 'stor'"
  ],
  [(b) => b.table('l', SERDES).toStream({ nme: 'x' }), "toStream has no option 'nme'"],
  [
    (b) =>
      b
        .table('l', SERDES)
        .groupBy(() => 'x')
        .count({ idle: '1s' }),
    "count has no option 'idle'"
  ],
  [
    (b) => b.table('l', SERDES).suppress(untilWindowCloses(), { oldvalue: 'latest' }),
    "suppress has no option 'oldvalue'"
  ],
  [(_, s) => s.to('out', { feedbak: true }), "to has no option 'feedbak'"],
  [() => untyped(tumbling)({ size: '1m', grce: '5s' }), "tumbling() has no option 'grce': there are grace, size"],
  [() => untyped(unlimited)({ form: 5 }), "unlimited() has no option 'form'"],
  [() => untyped(untilTimeLimit)('1s', { maxRecord: 5 }), "untilTimeLimit() has no option 'maxRecord'"],
  [() => untyped(throttleTime)('1s', { trailling: true }), "throttleTime() has no option 'trailling'"],
  [() => untyped(bufferTime)('1s', { maxsize: 3 }), "bufferTime() has no option 'maxsize'"]
]

function expectRefused(message: string, define: (typeof mistyped)[number][0]): void {
  const error = refusal(define)
  expect(error).toBeInstanceOf(UsageError)
  expect(error).toHaveProperty('message', expect.stringContaining(message))
}

describe('a mistyped option', () => {
  it.each(mistyped.map(([define, message]) => [message, define] as const))('%s', expectRefused)

  it('is none where it is undefined, nor is a serde more than a step needs', () => {
    expect(refusal((_, s) => s.filter(() => true, { nme: undefined, ...SERDES }))).toBeUndefined()
  })
})

const LONGS = { key: long(), value: json() }

describe('keys that are written otherwise on the two sides of a join', () => {
  const written = 'keys on the left are written as string and those on the right as long: equal keys would not meet'

  it.each<readonly [string, (b: Untyped, stream: Untyped) => unknown]>([
    ['l-join', (b) => b.table('l', SERDES).join(b.table('r', LONGS), () => 1)],
    ['named', (b) => b.table('l', SERDES).outerJoin(b.table('r', LONGS), () => 1, { name: 'named' })],
    ['in-leftJoin', (b, s) => s.leftJoin(b.table('r', LONGS), () => 1)],
    ['in-join', (b, s) => s.join(b.stream('other', LONGS), () => 1, { within: 5 })]
  ])('are refused at %s', (node, define) => {
    const error = refusal(define)
    expect(error).toBeInstanceOf(TopologyError)
    expect(error).toHaveProperty('node', node)
    expect(error).toHaveProperty('message', expect.stringContaining(written))
  })

  it('are taken where the serdes write the same bytes', () => {
    expect(
      refusal((b, s) => s.join(b.table('r', { ...SERDES, key: uuid() }), () => 1, { value: json() }))
    ).toBeUndefined()
  })
})

describe('what a program without types may write', () => {
  it.each(cases.map(([define, message]) => [message, define] as const))('%s', expectRefused)

  it('windows need options', () => {
    for (const windows of [tumbling, hopping, sliding, sessions]) expect(() => untyped(windows)()).toThrow(UsageError)
  })

  it('a topology needs a name and a function', () => {
    expect(() => untyped(defineTopology)()).toThrow('a topology has a name, which is its first argument')
    expect(() => untyped(defineTopology)('app')).toThrow("topology 'app' needs a function")
  })
})
