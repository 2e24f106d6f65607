import { UsageError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import { hopping, sessions, sliding, tumbling } from './windows.ts'

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

describe('what a program without types may write', () => {
  it.each(cases.map(([define, message]) => [message, define] as const))('%s', (message, define) => {
    const error = refusal(define)
    expect(error).toBeInstanceOf(UsageError)
    expect(error).toHaveProperty('message', expect.stringContaining(message))
  })

  it('windows need options', () => {
    for (const windows of [tumbling, hopping, sliding, sessions]) expect(() => untyped(windows)()).toThrow(UsageError)
  })

  it('a topology needs a name and a function', () => {
    expect(() => untyped(defineTopology)()).toThrow('a topology has a name, which is its first argument')
    expect(() => untyped(defineTopology)('app')).toThrow("topology 'app' needs a function")
  })
})
