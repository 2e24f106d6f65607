import { describe, expect, it } from 'vitest'
import { formatTopology } from '../graph/describe.ts'
import { StreamRecord } from '../graph/record.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { Windowed } from '../serde/windowed.ts'
import { defineTopology } from './define-topology.ts'
import { tumbling } from './windows.ts'

interface Click {
  adId: string
  userId: string
  at: number
}

const clickAggregator = defineTopology('click-aggregator', (b) => {
  b.stream('clicks', { key: string(), value: json<Click>(), timestamp: (click) => click.at })
    .filter((click) => click.adId !== '')
    .groupBy((click) => click.adId)
    .windowedBy(tumbling({ size: '1m', grace: '10s' }))
    .count({ store: 'clicks-per-ad' })
    .toStream()
    .to('clicks-per-minute')
})

describe('the click aggregator', () => {
  it('is two sub-topologies with a repartition between', () => {
    expect(formatTopology(clickAggregator)).toBe(`click-aggregator
  sub-topology 0
    clicks-source: source clicks (string, json) -> clicks-filter
    clicks-filter: filter -> clicks-groupBy
    clicks-groupBy: selectKey -> clicks-groupBy-repartition
    clicks-groupBy-repartition: repartition clicks-groupBy-repartition (string, json)
  sub-topology 1
    clicks-groupBy-repartition-source: source clicks-groupBy-repartition (string, json) -> clicks-per-ad-tumbling-1m-count
    clicks-per-ad-tumbling-1m-count: count tumbling 1m grace 10s in clicks-per-ad, emits commit -> clicks-per-ad-toStream
    clicks-per-ad-toStream: toStream -> clicks-per-minute-sink
    clicks-per-minute-sink: sink clicks-per-minute (windowed(string), long)
`)
  })

  it('keeps what the runtime needs', () => {
    const [clicks] = clickAggregator.nodes
    const click = { adId: 'ad-7', userId: 'u', at: 123 }
    const record = new StreamRecord('key', click, 5, [], { topic: 'clicks', partition: 0, offset: 0 })
    expect(clicks?.kind === 'source' && clicks.timestamp?.(click, record, -1)).toBe(123)
    expect(clickAggregator.stores).toMatchObject([
      { name: 'clicks-per-ad', kind: 'window', named: true, windowSizeMs: 60_000, retentionMs: 70_000 }
    ])
    expect(
      clickAggregator.subtopologies.map((part) => [part.sourceTopics, part.repartitionSources, part.stores])
    ).toEqual([
      [['clicks'], [], []],
      [[], ['clicks-groupBy-repartition'], ['clicks-per-ad']]
    ])
  })

  it('sends all windows of a key to the partition of the key', () => {
    const sink = clickAggregator.nodes.at(-1)
    if (sink?.kind !== 'sink' || sink.partitioner === undefined) throw new TypeError('expected a sink that partitions')
    // murmur2('foobar') is -790332482: 1357151166 without the sign.
    expect(sink.partitioner(new Windowed('foobar', 60_000, 120_000), 1, 1000)).toBe(166)
    expect(sink.partitioner(new Windowed('foobar', 0, 60_000), 1, 1000)).toBe(166)
  })

  it('is frozen throughout', () => {
    const seen = new Set<unknown>()
    const visit = (value: unknown) => {
      if (typeof value !== 'object' || value === null || seen.has(value)) return
      seen.add(value)
      expect(Object.isFrozen(value), JSON.stringify(value)).toBe(true)
      for (const inner of Object.values(value)) visit(inner)
    }
    visit(clickAggregator)
    expect(seen.size).toBeGreaterThan(30)
  })
})
