import { describe, expect, it } from 'vitest'
import type { Node, StatelessOperator } from '../graph/node.ts'
import { StreamRecord } from '../graph/record.ts'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import type { KStream } from './k-stream.ts'
import { hopping, tumbling } from './windows.ts'

const record = new StreamRecord<unknown, unknown>('k', 'v', 7, [], { topic: 'in', partition: 0, offset: 3 })

/** The nodes below the source. */
function nodesOf(steps: (s: KStream<string, string>) => unknown): readonly Node[] {
  const topology = defineTopology('app', (b) => {
    steps(b.stream('in', { key: string(), value: string() }))
  })
  return topology.nodes.slice(1)
}

function onlyOperator(steps: (s: KStream<string, string>) => unknown): StatelessOperator {
  const [node] = nodesOf(steps)
  if (node?.kind !== 'stateless') throw new TypeError(`expected a stateless node, got ${node?.kind}`)
  return node.operator
}

describe('stateless operators', () => {
  it.each<[string, (s: KStream<string, string>) => unknown, { kind: string; not?: boolean }, unknown]>([
    ['filter', (s) => s.filter((v, r) => v === 'v' && r.offset === 3), { kind: 'filter', not: false }, true],
    ['filterNot', (s) => s.filterNot((v) => v === 'v'), { kind: 'filter', not: true }, true],
    ['map', (s) => s.map((v, r) => [v, r.key]), { kind: 'map' }, ['v', 'k']],
    ['mapValues', (s) => s.mapValues((v, r) => v + r.key), { kind: 'mapValues' }, 'vk'],
    ['flatMap', (s) => s.flatMap((v, r) => [[r.key, v]]), { kind: 'flatMap' }, [['k', 'v']]],
    ['flatMapValues', (s) => s.flatMapValues((v, r) => [v, r.key]), { kind: 'flatMapValues' }, ['v', 'k']],
    ['selectKey', (s) => s.selectKey((v, r) => v + r.timestamp), { kind: 'selectKey' }, 'v7'],
    ['groupBy', (s) => s.groupBy((v, r) => v + r.topic), { kind: 'selectKey' }, 'vin'],
    ['peek', (s) => s.peek(() => {}), { kind: 'peek' }, undefined]
  ])('%s calls its function with the value, then the record', (_name, steps, expected, result) => {
    const operator = onlyOperator(steps)
    expect(operator).toMatchObject(expected)
    if (operator.kind === 'pipe') throw new TypeError('a pipe has no function')
    expect(operator.fn('v', record)).toEqual(result)
  })
})

describe('aggregations', () => {
  const aggregation = (steps: (s: KStream<string, string>) => unknown) => {
    const node = nodesOf(steps).find((one) => one.kind === 'aggregate' || one.kind === 'windowed-aggregate')
    if (node === undefined) throw new TypeError('expected an aggregation')
    return node
  }

  it('count counts from 0, as Long', () => {
    const { aggregation: counting, store, emit } = aggregation((s) => s.groupByKey().count())
    expect(counting.initial?.()).toBe(0)
    expect(counting.add(41, 'v', record)).toBe(42)
    expect(store).toMatchObject({ name: 'in-count', kind: 'key-value', key: string(), value: long(), named: false })
    expect(emit).toBe('commit')
  })

  it('reduce begins with the first value and gets the value first', () => {
    const { aggregation: reducing, store } = aggregation((s) =>
      s.groupByKey().reduce((v, so, r) => `${so},${v}@${r.offset}`)
    )
    expect(reducing.initial).toBeUndefined()
    expect(reducing.add('a', 'v', record)).toBe('a,v@3')
    expect(store.value).toBe(string())
  })

  it('aggregate begins with the initial and gets the value first', () => {
    const { aggregation: folding, store } = aggregation((s) =>
      s.groupByKey().aggregate(
        () => [''],
        (v, list) => [...list, v],
        { value: json<string[]>(), store: 'lists' }
      )
    )
    expect(folding.initial?.()).toEqual([''])
    expect(folding.add(['a'], 'v', record)).toEqual(['a', 'v'])
    expect(store).toMatchObject({ name: 'lists', value: json(), named: true })
  })

  it('windows keep size, advance, grace and retention', () => {
    const windowed = aggregation((s) =>
      s
        .groupByKey()
        .windowedBy(hopping({ size: '1m', advance: '15s', grace: '5s' }))
        .count({ retention: '1h', emit: 'final' })
    )
    expect(windowed).toMatchObject({
      kind: 'windowed-aggregate',
      window: { kind: 'time', sizeMs: 60_000, advanceMs: 15_000, graceMs: 5_000 },
      emit: 'final',
      store: { kind: 'window', retentionMs: 3_600_000, windowSizeMs: 60_000 }
    })
  })

  it('refuse what cannot be', () => {
    const grouped = (options: { retention?: `${number}s` }) =>
      nodesOf((s) =>
        s
          .groupByKey()
          .windowedBy(tumbling({ size: '1m' }))
          .count(options)
      )
    expect(() => grouped({ retention: '59s' })).toThrow(/retention is '59s': less than 60000 ms/)
    const final: 'commit' | 'final' = 'final'
    expect(() => nodesOf((s) => s.groupByKey().count({ emit: final as 'commit' }))).toThrow(
      /count without windows never ends/
    )
    expect(() => hopping({ size: '1m', advance: '61s' })).toThrow(/advance is '61s': more than the size, 60000 ms/)
    expect(() => tumbling({ size: 0 })).toThrow(/size is 0: less than 1 ms/)
  })
})

describe('serdes', () => {
  const sink = (steps: (s: KStream<string, string>) => unknown) => {
    const node = nodesOf(steps).at(-1)
    if (node?.kind !== 'sink') throw new TypeError('expected a sink')
    return [node.key.name, node.value.name]
  }

  it('stay until the type they write changes', () => {
    expect(
      sink((s) =>
        s
          .filter(() => true)
          .peek(() => {})
          .to('out')
      )
    ).toEqual(['string', 'string'])
    expect(sink((s) => s.mapValues((v) => v.length, { value: number() }).to('out'))).toEqual(['string', 'number'])
    expect(sink((s) => s.mapValues((v) => v.length).to('out', { value: json() }))).toEqual(['string', 'json'])
    expect(sink((s) => s.selectKey((v) => v.length, { key: long() }).to('out'))).toEqual(['long', 'string'])
    expect(sink((s) => s.map((v) => [v.length, v.length]).to('out', { key: long(), value: number() }))).toEqual([
      'long',
      'number'
    ])
    expect(
      sink((s) =>
        s
          .groupByKey()
          .windowedBy(tumbling({ size: 5 }))
          .count()
          .toStream()
          .to('out')
      )
    ).toEqual(['windowed(string)', 'long'])
  })

  it('of a merge are the first that is known', () => {
    expect(
      sink((s) =>
        s
          .mapValues((v) => v)
          .merge(s.mapValues((v) => v, { value: json<string>() }))
          .to('out')
      )
    ).toEqual(['string', 'json'])
  })

  it('default to text for new keys, and refuse others by the name of the step', () => {
    const [, node] = nodesOf((s) => s.selectKey((v) => v).to('out'))
    if (node?.kind !== 'sink') throw new TypeError('expected a sink')
    expect(node.key.encode('ad').toString()).toBe('ad')
    expect(() => node.key.encode(7)).toThrow(/in node 'in-selectKey': the key is a number, not text/)
  })
})
