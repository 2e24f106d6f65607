import { describe, expect, it } from 'vitest'
import type { Topology } from '../graph/topology.ts'
import { NameTieError } from '../graph/topology-error.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import type { KStream } from './k-stream.ts'
import type { StreamsBuilder } from './streams-builder.ts'
import { hopping, tumbling } from './windows.ts'

type Texts = KStream<string, string>

const texts = (b: StreamsBuilder, topic = 'in'): Texts => b.stream(topic, { key: string(), value: string() })
const define = (steps: (stream: Texts, b: StreamsBuilder) => void) => defineTopology('app', (b) => steps(texts(b), b))

/** Names that something durable hangs on. */
const durable = (topology: Topology) => [
  ...topology.stores.map((store) => store.name),
  ...topology.nodes.flatMap((node) => (node.kind === 'repartition' ? [node.topic] : []))
]

describe('names', () => {
  it('are the named ancestor, the key changes since, and the own kind', () => {
    const topology = define((s) => {
      s.groupByKey().count()
      s.selectKey((v) => v)
        .groupBy((v) => v)
        .windowedBy(hopping({ size: '1m', advance: '10s' }))
        .count()
      s.map((v) => [v, v], { value: string() })
        .groupByKey()
        .windowedBy(tumbling({ size: 1500 }))
        .reduce((v) => v)
    })
    expect(durable(topology)).toEqual([
      'in-count',
      'in-selectKey-groupBy-hopping-1m-10s-count',
      'in-map-tumbling-1500ms-reduce',
      'in-selectKey-groupBy-repartition',
      'in-map-repartition'
    ])
  })

  it('go on from a given store, stream or step', () => {
    const topology = define((s, b) => {
      s.groupByKey()
        .count({ store: 'totals' })
        .toStream()
        .groupBy((n) => String(n))
        .count()
      s.selectKey((v) => v, { name: 'by-value' })
        .groupByKey()
        .count()
      s.repartition({ name: 'spread', partitions: 8 })
        .groupByKey()
        .reduce((v) => v)
      b.stream(['a', 'b'], { key: string(), value: string(), name: 'both' }).groupByKey().count()
    })
    expect(durable(topology)).toEqual([
      'totals',
      'totals-groupBy-count',
      'by-value-count',
      'spread-reduce',
      'both-count',
      'totals-groupBy-repartition',
      'by-value-repartition',
      'spread-repartition'
    ])
  })

  it('of stores and topics do not change by an edit elsewhere', () => {
    const count = (s: Texts) => s.groupBy((v) => v.slice(1)).count()
    const before = define((s) => count(s))
    const edits: ((s: Texts, b: StreamsBuilder) => void)[] = [
      (s) => count(s.filter((v) => v !== '').peek(() => {})),
      (s) => count(s.mapValues((v) => v.length, { value: json<number>() }).mapValues(String, { value: string() })),
      (s, b) => {
        texts(b, 'other')
          .groupBy((v) => v)
          .count()
        count(s)
      },
      (s) => {
        s.filter((v) => v === 'x').to('elsewhere')
        s.selectKey((v) => v).to('elsewhere')
        s.groupByKey().count().toStream().to('totals')
        count(s)
      },
      (s) =>
        count(s)
          .toStream()
          .filter((n) => n > 1)
          .to('out')
    ]
    for (const edit of edits) expect(durable(define(edit))).toEqual(expect.arrayContaining(durable(before)))
  })

  it('of streams that part and merge again are found once', () => {
    const topology = define((s) => {
      let merged = s
      for (let i = 0; i < 60; i++) merged = merged.filter((v) => v !== '').merge(merged)
      merged.groupByKey().count()
    })
    expect(durable(topology)).toEqual(['in-count'])
  })

  it('of nodes without state are told apart by their order', () => {
    const topology = define((s) => {
      s.filter((v) => v === 'a').to('out')
      s.filter((v) => v === 'b').to('out')
      s.filter((v) => v === 'c', { name: 'only-c' }).to('out', { name: 'to-out' })
    })
    expect(topology.nodes.map((node) => node.name)).toEqual([
      'in-source',
      'in-filter',
      'out-sink',
      'in-filter-2',
      'out-sink-2',
      'only-c',
      'to-out'
    ])
  })
})

describe('ties', () => {
  it.each<[string, (s: Texts) => void, RegExp]>([
    [
      'two stores derived',
      (s) => [s.groupByKey().count(), s.groupByKey().count()],
      /two steps make the store 'in-count': give one a name of its own: \{ store/
    ],
    [
      'two stores given',
      (s) => [s.groupByKey().count({ store: 'x' }), s.groupByKey().reduce((v) => v, { store: 'x' })],
      /the store 'x'/
    ],
    [
      'two repartitions',
      (s) => [s.groupBy((v) => v).count({ store: 'a' }), s.groupBy((v) => v[0] ?? '').count({ store: 'b' })],
      /the internal topic 'in-groupBy-repartition'/
    ],
    [
      'two nodes',
      (s) => [s.peek(() => {}, { name: 'n' }), s.filter(() => true, { name: 'n' })],
      /the node 'n': use each name once/
    ]
  ])('%s are an error that asks for a name', (_name, steps, message) => {
    expect(() => define(steps)).toThrow(NameTieError)
    expect(() => define(steps)).toThrow(message)
  })

  it('are resolved by a name', () => {
    const topology = define((s) => {
      s.groupBy((v) => v, { name: 'by-value' }).count()
      s.groupBy((v) => v[0] ?? '', { name: 'by-letter' }).count()
    })
    expect(durable(topology)).toEqual([
      'by-value-count',
      'by-letter-count',
      'by-value-repartition',
      'by-letter-repartition'
    ])
  })
})
