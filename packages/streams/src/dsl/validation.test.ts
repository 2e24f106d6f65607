import { UsageError } from '@millrace/log'
import { describe, expect, it } from 'vitest'
import { MissingSerdeError, TopologyError } from '../graph/topology-error.ts'
import type { Serde } from '../serde/serde.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import type { KStream } from './k-stream.ts'
import type { StreamsBuilder } from './streams-builder.ts'
import { tumbling } from './windows.ts'

type Texts = KStream<string, string>

const texts = (b: StreamsBuilder, topics: string | string[] = 'in'): Texts =>
  b.stream(topics, { key: string(), value: string() })
const define = (steps: (s: Texts, b: StreamsBuilder) => unknown) =>
  defineTopology('app', (b) => {
    steps(texts(b), b)
  })

describe('a topology is refused, naming the step, when', () => {
  it.each<[string, (s: Texts, b: StreamsBuilder) => unknown, RegExp]>([
    ['a topic is read twice', (_, b) => texts(b, ['x', 'in']), /node 'x-in-source': topic 'in' is read twice/],
    ['a source names no topic', (_, b) => texts(b, []), /it reads no topic/],
    ['a topic has a bad name', (s) => s.to('a b'), /node 'a b-sink': the topic 'a b' has characters other than/],
    ['a topic has no name', (s) => s.to(''), /the topic is empty/],
    [
      'a store has a bad name',
      (s) => s.groupByKey().count({ store: 'a/b' }),
      /the changelog topic 'app-a\/b-changelog' has characters/
    ],
    ['a store has a long name', (s) => s.groupByKey().count({ store: 'x'.repeat(240) }), /longer than 249 characters/],
    [
      'a sink feeds its own source',
      (s) => s.filter(() => true).to('in'),
      /node 'in-sink': it writes to 'in', which it is fed from/
    ],
    [
      'it does so through a repartition',
      (s) =>
        s
          .groupBy((v) => v)
          .count()
          .toStream()
          .to('in'),
      /node 'in-sink': it writes to 'in'/
    ],
    [
      'it does so through another topic',
      (s, b) => {
        texts(b, 'mid').to('in')
        s.to('mid')
      },
      /which it is fed from/
    ]
  ])('%s', (_name, steps, message) => {
    expect(() => define(steps)).toThrow(TopologyError)
    expect(() => define(steps)).toThrow(message)
  })

  it('it reads nothing or has a bad name', () => {
    expect(() => defineTopology('app', () => {})).toThrow(/topology 'app': it reads nothing: begin with b.stream/)
    expect(() => defineTopology('my app', (b) => texts(b).to('out'))).toThrow(
      /the topology's name 'my app' has characters/
    )
  })

  it.each<[string, (s: Texts) => unknown, 'key' | 'value', string]>([
    ['a sink', (s) => forget(s.mapValues((v) => v.length)).to('out'), 'value', 'out-sink'],
    ['a repartition', (s) => forget(s.mapValues((v) => v.length)).repartition(), 'value', 'in-repartition'],
    [
      'an automatic repartition',
      (s) =>
        s
          .mapValues((v) => v.length)
          .selectKey((v) => `${v}`)
          .groupByKey()
          .count(),
      'value',
      'in-selectKey-repartition'
    ],
    [
      'a store',
      (s) =>
        forget(s.mapValues((v) => v.length))
          .groupByKey()
          .reduce((v) => v),
      'value',
      'in-reduce'
    ]
  ])('%s does not know how to write', (_name, steps, missing, node) => {
    const error = thrown(() => define(steps))
    expect(error).toBeInstanceOf(MissingSerdeError)
    expect(error).toMatchObject({ missing, node, topology: 'app' })
  })
})

describe('a source', () => {
  it('needs serdes, and knows what is none', () => {
    const reading = (options: object) => () =>
      defineTopology('app', (b) => void b.stream('in', options as { key: Serde<string>; value: Serde<string> }))
    expect(reading({ value: string() })).toThrow("topology 'app', node 'in-source': no key serde")
    expect(reading({ key: string() })).toThrow("topology 'app', node 'in-source': no value serde")
    expect(reading({ key: string, value: string() })).toThrow('its key serde is none: call it: string(), not string')
    expect(reading({ key: string(), value: {} })).toThrow('its value serde is none: give one, e.g. json()')
  })
})

describe('late records', () => {
  it('are refused where they would come round again, late each time', () => {
    const windows = (lateTo: string) =>
      define((s) =>
        s
          .groupByKey()
          .windowedBy(tumbling({ size: '1s' }), { onLate: { lateTo } })
          .count()
      )
    expect(() => windows('in')).toThrow(
      "node 'in-tumbling-1s-count': it writes to 'in', which it is fed from: write late records to another topic"
    )
    expect(windows('late').nodes.at(-1)).toMatchObject({ late: { topic: 'late' } })
  })
})

describe('a topology may', () => {
  it('close a loop that is meant', () => {
    const topology = define((s) =>
      s
        .filter((v) => v.length > 9)
        .mapValues((v) => v.slice(1), { value: string() })
        .to('in', { feedback: true })
    )
    expect(topology.nodes.at(-1)).toMatchObject({ kind: 'sink', topic: 'in' })
    expect(topology.nodes.at(-1)).not.toHaveProperty('feedback')
  })

  it('read a topic that another part of it writes', () => {
    const topology = define((s, b) => {
      s.to('mid')
      texts(b, 'mid').to('out')
    })
    expect(topology.subtopologies).toHaveLength(2)
  })
})

describe('the builder', () => {
  it('takes no step after the definition', () => {
    let late: Texts | undefined
    define((s) => {
      late = s
    })
    expect(() => late?.filter(() => true)).toThrow(UsageError)
  })

  it('refuses an asynchronous definition', () => {
    const later = async (b: StreamsBuilder) => texts(b).to('out')
    expect(() => defineTopology('app', later)).toThrow(/define it synchronously/)
  })

  it('refuses streams of another topology', () => {
    let foreign: Texts | undefined
    define((s) => {
      foreign = s
    })
    expect(() => define((s) => (foreign === undefined ? undefined : s.merge(foreign)))).toThrow(
      /reads a stream of another topology/
    )
  })

  it('refuses a repartition into no partitions', () => {
    expect(() => define((s) => s.repartition({ partitions: 0 }))).toThrow(
      /repartition to 0 partitions: give a whole number from 1 up/
    )
  })
})

/** The stream as a program without types would see it, which knows no missing serde. */
function forget<V>(stream: KStream<string, V, 'key'>): KStream<string, V> {
  return stream as unknown as KStream<string, V>
}

function thrown(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}
