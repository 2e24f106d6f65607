import { describe, expect, it } from 'vitest'
import { string } from '../../serde/string.ts'
import { skip } from '../../task/error-policy.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const text = { key: string(), value: string() }

describe('to, by a function', () => {
  it('writes each record to the topic that the function says, with its headers', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text).to((value, { headers }) => `${value}-${headers[0]?.key}`)
    })
    const driver = await TopologyTestDriver.open(topology)
    const header = { key: 'eu', value: null }
    await driver.input<string, string>('in').pipe('k', 'orders', { timestamp: 1, headers: [header] })
    expect(driver.output('orders-eu', text).readAll()).toEqual([
      { key: 'k', value: 'orders', timestamp: 1, headers: [header] }
    ])
  })

  it('names itself when the function throws', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text).to((value) => value.slice(0, Number.NaN).at(1) ?? fail())
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    await driver.input<string, string>('in').pipe('k', 'x', 0)
    expect(driver.skipped()).toMatchObject([{ node: 'in-to' }])
  })
})

describe('a partitioner', () => {
  const send = async (partition: number | readonly number[] | undefined) => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text).to('out', { partitioner: () => partition })
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('k', 'v', 0)
    return driver.output('out').readValues()
  }

  it('may drop a record', async () => {
    expect(await send(undefined)).toEqual([])
    expect(await send([])).toEqual([])
    expect(await send([0, 0])).toEqual(['v'])
  })

  it('is held to the partitions there are', async () => {
    await expect(send(1)).rejects.toThrow('chose partition 1 of out, which has 1')
    await expect(send([0, 0.5])).rejects.toThrow('chose partition 0.5')
  })
})

describe('a stream by pattern', () => {
  const topology = defineTopology('app', (b) => {
    b.stream(/^clicks-.+/, text)
      .groupByKey()
      .count()
      .toStream()
      .to('counts')
    b.stream('clicks-fixed', text).to('copy')
  })
  const existing = ['clicks-b', 'other', 'clicks-a', 'clicks-fixed', '__clicks-x', 'app-clicks-count-changelog']

  it('reads the topics that match at the start, but for those that are read by name', async () => {
    const driver = await TopologyTestDriver.open(topology, { topics: existing })
    await driver.input<string, string>('clicks-a').pipe('k', 'v', 0)
    await driver.input<string, string>('clicks-b').pipe('k', 'v', 1)
    await driver.input<string, string>('clicks-fixed').pipe('k', 'v', 2)
    expect(
      driver
        .output('counts')
        .readAll()
        .map(({ value }) => value)
    ).toEqual([1, 2])
    expect(driver.output('copy').readValues()).toEqual(['v'])
  })

  it('is called after what of the pattern is a name, whatever matches', () => {
    expect(topology.stores.map(({ name }) => name)).toEqual(['clicks-count'])
    expect(topology.subtopologies[0].name).toBe('clicks')
  })

  it('is refused when nothing matches, or what another pattern matches', async () => {
    await expect(TopologyTestDriver.open(topology, { topics: ['other'] })).rejects.toThrow(
      'no topic matches /^clicks-.+/'
    )
    const twice = defineTopology('app', (b) => {
      b.stream(/^a/, text)
      b.stream(/b$/, text)
    })
    await expect(TopologyTestDriver.open(twice, { topics: ['ab', 'b'] })).rejects.toThrow("topic 'ab' matches /b$/")
  })
})

function fail(): never {
  throw new TypeError('no topic')
}
