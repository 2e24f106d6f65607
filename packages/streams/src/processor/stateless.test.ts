import { describe, expect, it } from 'vitest'
import type { StatelessOperator } from '../graph/node.ts'
import { StreamRecord } from '../graph/record.ts'
import { ProcessingError } from './errors.ts'
import { statelessProcessor } from './stateless.ts'

const header = { key: 'trace', value: Buffer.from('7') }
const origin = { topic: 'in', partition: 3, offset: 41 }
const record = new StreamRecord<unknown, unknown>('k', 5, 1_000, [header], origin)

/** Keys and values that an operator makes of the record. */
function run(operator: StatelessOperator, input = record): [unknown, unknown][] {
  const out: StreamRecord[] = []
  statelessProcessor('node', operator, (result) => out.push(result)).process(input)
  for (const result of out) {
    expect(result.timestamp).toBe(1_000)
    expect(result.headers).toEqual([header])
    expect(result.origin).toBe(origin)
  }
  return out.map(({ key, value }) => [key, value])
}

const failing = () => {
  throw new TypeError('no such field')
}

describe('stateless operators', () => {
  it('filter', () => {
    expect(run({ kind: 'filter', not: false, fn: (value) => value === 5 })).toEqual([['k', 5]])
    expect(run({ kind: 'filter', not: false, fn: (value) => value !== 5 })).toEqual([])
    expect(run({ kind: 'filter', not: true, fn: (value) => value !== 5 })).toEqual([['k', 5]])
  })

  it('change keys and values and nothing else', () => {
    expect(run({ kind: 'map', fn: (value, { key }) => [value, key] })).toEqual([[5, 'k']])
    expect(run({ kind: 'mapValues', fn: (value, { offset }) => [value, offset] })).toEqual([['k', [5, 41]]])
    expect(run({ kind: 'selectKey', fn: (_, { topic, partition }) => `${topic}-${partition}` })).toEqual([['in-3', 5]])
    expect(run({ kind: 'flatMapValues', fn: (value) => [value, null] })).toEqual([
      ['k', 5],
      ['k', null]
    ])
    expect(
      run({
        kind: 'flatMap',
        fn: () =>
          new Map([
            ['a', 1],
            ['b', 2]
          ])
      })
    ).toEqual([
      ['a', 1],
      ['b', 2]
    ])
  })

  it.each<readonly [StatelessOperator, string]>([
    [
      { kind: 'map', fn: (() => 7) as never },
      'the function of map gives [key, value], and gave a value of type number'
    ],
    [{ kind: 'map', fn: (() => ['k', 1, 2]) as never }, 'gives [key, value], and gave 3 values'],
    [
      { kind: 'flatMap', fn: (() => [['k', 1], null]) as never },
      'the function of flatMap gives [key, value], and gave null'
    ]
  ])('a function that gives no pair fails, and nothing goes on: %s', (operator, message) => {
    const out: StreamRecord[] = []
    const { process } = statelessProcessor('node', operator, (result) => out.push(result))
    expect(() => process(record)).toThrow(ProcessingError)
    expect(() => process(record)).toThrow(
      expect.objectContaining({ cause: expect.objectContaining({ message: expect.stringContaining(message) }) })
    )
    expect(out).toEqual([])
  })

  it('peek sees the record and passes it on', () => {
    const seen: unknown[] = []
    expect(run({ kind: 'peek', fn: (value, { key }) => seen.push(key, value) })).toEqual([['k', 5]])
    expect(seen).toEqual(['k', 5])
  })

  it.each<StatelessOperator>([
    { kind: 'filter', not: false, fn: failing },
    { kind: 'map', fn: failing },
    { kind: 'mapValues', fn: failing },
    { kind: 'flatMap', fn: failing },
    {
      kind: 'flatMapValues',
      fn: function* (value) {
        yield value
        failing()
      }
    },
    { kind: 'selectKey', fn: failing },
    { kind: 'peek', fn: failing }
  ])('an error in $kind names node, topic, partition and offset, and nothing goes on', (operator) => {
    const out: StreamRecord[] = []
    const { process } = statelessProcessor('prices-check', operator, (result) => out.push(result))
    expect(() => process(record)).toThrow(
      expect.objectContaining({
        code: 'STREAMS_PROCESSING',
        node: 'prices-check',
        topic: 'in',
        partition: 3,
        offset: 41,
        cause: new TypeError('no such field'),
        message: expect.stringContaining('prices-check failed on in-3 at offset 41: no such field')
      })
    )
    expect(out).toEqual([])
  })

  it('an error downstream keeps the name of the node it came from', () => {
    const down = statelessProcessor('down', { kind: 'peek', fn: failing }, () => {})
    const up = statelessProcessor('up', { kind: 'mapValues', fn: (value) => value }, down.process)
    expect(() => up.process(record)).toThrow(expect.objectContaining({ node: 'down' }))
    expect(() => up.process(record)).toThrow(ProcessingError)
  })
})
