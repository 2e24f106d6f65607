import { describe, expect, it } from 'vitest'
import type { RepartitionNode } from '../graph/node.ts'
import type { Topology } from '../graph/topology.ts'
import { json } from '../serde/json.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import { simulate } from '../testing/simulate.ts'
import { defineTopology } from './define-topology.ts'
import type { KStream } from './k-stream.ts'

type Texts = KStream<string, string>

const define = (steps: (s: Texts, other: Texts) => unknown): Topology =>
  defineTopology('app', (b) => {
    const texts = (topic: string) => b.stream(topic, { key: string(), value: string() })
    steps(texts('in'), texts('other'))
  })
const repartitions = (topology: Topology): RepartitionNode[] =>
  topology.nodes.flatMap((node) => (node.kind === 'repartition' ? [node] : []))

describe('an automatic repartition', () => {
  it.each<[string, (s: Texts) => unknown, number]>([
    [
      'no key change',
      (s) =>
        s
          .mapValues((v) => v, { value: string() })
          .groupByKey()
          .count(),
      0
    ],
    ['a key change and nothing by key', (s) => s.selectKey((v) => v).to('out'), 0],
    [
      'selectKey',
      (s) =>
        s
          .selectKey((v) => v)
          .filter(() => true)
          .groupByKey()
          .count(),
      1
    ],
    [
      'map',
      (s) =>
        s
          .map((v) => [v, v], { value: string() })
          .groupByKey()
          .count(),
      1
    ],
    [
      'flatMap',
      (s) =>
        s
          .flatMap((v) => [[v, v]], { value: string() })
          .groupByKey()
          .count(),
      1
    ],
    ['groupBy, always', (s) => s.groupBy((_, r) => r.key).count(), 1],
    [
      'two key changes in a row',
      (s) =>
        s
          .selectKey((v) => v)
          .groupBy((v) => v)
          .count(),
      1
    ],
    [
      'a key change on one side of a merge',
      (s) =>
        s
          .merge(s.selectKey((v) => v))
          .groupByKey()
          .count(),
      1
    ],
    [
      'a key change that was repartitioned already',
      (s) =>
        s
          .selectKey((v) => v)
          .repartition()
          .groupByKey()
          .count(),
      1
    ],
    ['a windowed key from a table', (s) => s.groupByKey().count().toStream().groupByKey().count(), 0]
  ])('after %s', (_name, steps, expected) => {
    expect(repartitions(define(steps))).toHaveLength(expected)
  })

  it('lets null keys through only where a left or outer join of a stream is below, however far', () => {
    const within = { within: '1s', value: string() } as const
    const keeping = (steps: (s: Texts, other: Texts) => unknown) =>
      repartitions(define(steps)).map(({ keepsNullKeys }) => keepsNullKeys)
    expect(keeping((s, other) => s.repartition().join(other, (v) => v, within))).toEqual([false])
    expect(keeping((s, other) => s.repartition().leftJoin(other, (v) => v, within))).toEqual([true])
    const far = (s: Texts, other: Texts) =>
      s
        .repartition({ name: 'first' })
        .selectKey((v) => v)
        .leftJoin(other, (v) => v, within)
    expect(keeping(far)).toEqual([true, true])
    const shared = (s: Texts, other: Texts) => {
      const keyed = s.selectKey((v) => v)
      keyed.join(other, (v) => v, { ...within, name: 'inner', repartition: { left: 'keyed' } })
      keyed.leftJoin(other, (v) => v, { ...within, name: 'outer', repartition: { left: 'keyed' } })
    }
    expect(keeping(shared)).toEqual([true])
  })

  it('is shared by joins that give it the same name', () => {
    const steps = (s: Texts) => {
      const keyed = s.selectKey((v) => v)
      const repartition = { left: 'keyed', right: 'keyed' }
      keyed.join(keyed, (v) => v, { within: '1s', value: string(), repartition })
    }
    expect(repartitions(define(steps)).map(({ topic }) => topic)).toEqual(['keyed-repartition'])
  })

  it('was asked for, or follows from a change of the key', () => {
    const automatic = repartitions(define((s) => s.groupBy((v) => v).count()))
    const explicit = repartitions(define((s) => s.repartition({ name: 'wide', partitions: 12 }).groupByKey().count()))
    expect(automatic).toMatchObject([{ explicit: false, topic: 'in-groupBy-repartition' }])
    expect(automatic[0]).not.toHaveProperty('partitions')
    expect(explicit).toMatchObject([{ explicit: true, topic: 'wide-repartition', partitions: 12 }])
  })

  it('is shared by aggregations of one grouped stream', () => {
    const topology = define((s) => {
      const grouped = s.groupBy((v) => v)
      grouped.count()
      grouped.reduce((v) => v)
    })
    expect(repartitions(topology)).toHaveLength(1)
    expect(topology.stores.map((store) => store.name)).toEqual(['in-groupBy-count', 'in-groupBy-reduce'])
    expect(topology.subtopologies).toHaveLength(3)
  })

  it('is not shared where the serdes differ', () => {
    const steps = (s: Texts) => {
      const keyed = s.map((v) => [v, v.length], { name: 'lengths' })
      keyed.groupByKey({ value: json<number>(), name: 'a' }).count()
      keyed.groupByKey({ value: number(), name: 'b' }).count()
    }
    expect(repartitions(define(steps)).map((node) => [node.topic, node.value.name])).toEqual([
      ['a-repartition', 'json'],
      ['b-repartition', 'number']
    ])
  })

  it('is read back by a source that names it', () => {
    const topology = define((s) => s.groupBy((v) => v).count())
    const source = topology.nodes.find((node) => node.kind === 'source' && node.repartitionOf !== undefined)
    expect(source).toMatchObject({
      topics: ['in-groupBy-repartition'],
      repartitionOf: 'in-groupBy-repartition',
      parents: []
    })
  })
})

describe('sub-topologies', () => {
  const parts = (topology: Topology) =>
    topology.subtopologies.map((part) => [...part.sourceTopics, ...part.repartitionSources])

  it('are connected components', () => {
    expect(parts(define((s, other) => [s.to('a'), other.to('b')]))).toEqual([['in'], ['other']])
    expect(parts(define((s, other) => s.merge(other).to('a')))).toEqual([['in', 'other']])
    expect(
      parts(
        define((s, other) =>
          s
            .groupBy((v) => v)
            .count()
            .toStream()
            .selectKey((n) => String(n))
            .mapValues(String)
            .merge(other)
        )
      )
    ).toEqual([['in'], ['other', 'in-groupBy-repartition']])
  })

  it('have a name that an edit elsewhere does not change', () => {
    const names = (topology: Topology) => topology.subtopologies.map((part) => part.name)
    const count = (s: Texts) => s.groupBy((v) => v).count()
    expect(names(define((s) => count(s)))).toEqual(['in', 'other', 'in-groupBy-repartition'])
    expect(
      names(
        define((s, other) => [
          other
            .selectKey((v) => v)
            .repartition()
            .to('x'),
          count(s)
        ])
      )
    ).toEqual(['in', 'other', 'other-selectKey-repartition', 'in-groupBy-repartition'])
  })

  it('know which topics must have the same number of partitions', () => {
    const copartitioned = (steps: (s: Texts, other: Texts) => unknown) =>
      define(steps).subtopologies.flatMap((part) => part.copartitioned)
    expect(copartitioned((s, other) => s.merge(other).to('a'))).toEqual([])
    expect(copartitioned((s, other) => s.merge(other).groupByKey().count())).toEqual([['in', 'other']])
    expect(
      copartitioned((s, other) =>
        s
          .selectKey((v) => v)
          .repartition()
          .merge(other)
          .groupByKey()
          .count()
      )
    ).toEqual([['other', 'in-selectKey-repartition']])
    expect(
      copartitioned((s, other) =>
        s
          .merge(other)
          .groupBy((v) => v)
          .count()
      )
    ).toEqual([])
  })
})

describe('a repartition by a partitioner', () => {
  it('brings each record to where it says, of as many partitions as it asks for', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', { key: string(), value: string() })
        .repartition({ name: 'by-value', partitions: 5, partitioner: (_key, value, count) => Number(value) % count })
        .mapValues((value, { partition }) => `${value} in ${partition}`, { value: string() })
        .to('out')
    })
    const values = Array.from({ length: 12 }, (_, i) => String(i))
    const input = values.map((value) => ({ topic: 'in', key: 'one key', value }))
    const { output } = await simulate(topology, { input, faults: false })
    expect(
      output<string, string>('out')
        .map(({ value }) => value)
        .toSorted()
    ).toEqual(values.map((value) => `${value} in ${Number(value) % 5}`).toSorted())
  })
})
