import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { hopping, sessions, sliding, tumbling } from '../dsl/windows.ts'
import { string } from '../serde/string.ts'
import { skip } from '../task/error-policy.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }

describe('late records', () => {
  it('go to a topic as they came, once each, with their headers', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupBy((value) => value)
        .windowedBy(hopping({ size: 20, advance: 10 }), { onLate: { lateTo: 'late' } })
        .count({ emit: 'changes' })
        .toStream()
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const header = { key: 'h', value: Buffer.from('1') }
    await driver.input<string, string>('in').pipe('k', 'a', 100)
    // One of its windows is open.
    await driver.input<string, string>('in').pipe('k', 'a', { timestamp: 85, headers: [header] })
    await driver.input<string, string>('in').pipe('k', 'a', 84)
    await driver.input<string, string>('in').pipe('k', 'a', 12)
    expect(
      driver
        .output('out')
        .readAll()
        .map(({ timestamp }) => timestamp)
    ).toEqual([100, 100])
    expect(driver.output('late', text).readAll()).toEqual([
      { key: 'a', value: 'a', timestamp: 85, headers: [header] },
      { key: 'a', value: 'a', timestamp: 84, headers: [] },
      { key: 'a', value: 'a', timestamp: 12, headers: [] }
    ])
    expect(driver.dropped('late')).toBe(6)
  })

  it.each([
    ['tumbling', tumbling({ size: 10 })],
    ['sliding', sliding({ difference: 10 })]
  ])('are shown to a callback: %s windows', async (_name, window) => {
    const seen: string[] = []
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .windowedBy(window, { onLate: (value, { key, timestamp }) => seen.push(`${key} ${value} ${timestamp}`) })
        .count()
    })
    const driver = await TopologyTestDriver.open(topology)
    for (const at of [100, 95, 80, 105, 70]) await driver.input<string, string>('in').pipe('k', 'v', at)
    expect(seen.slice(-2)).toEqual(['k v 80', 'k v 70'])
  })

  it('are shown to a callback: sessions; its error goes to the policy', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .windowedBy(sessions({ gap: 10 }), {
          onLate: () => {
            throw new TypeError('late')
          }
        })
        .count()
    })
    const driver = await TopologyTestDriver.open(topology, { errors: { processing: skip() } })
    for (const at of [100, 50]) await driver.input<string, string>('in').pipe('k', 'v', at)
    expect(driver.skipped()).toMatchObject([{ code: 'STREAMS_PROCESSING', node: 'in-session-10ms-count' }])
  })
})

describe("emit: { every: '5s' }", () => {
  it('lets one update per key go on in that much stream time, the last', async () => {
    const topology = defineTopology('app', (b) => {
      b.stream('in', text)
        .groupByKey()
        .count({ store: 'counts', emit: { every: '5s' } })
        .toStream()
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const output = driver.output('out')
    const seen: [number, unknown][] = []
    for (const at of [0, 1_000, 4_999, 5_000, 6_000, 9_000, 20_000]) {
      await driver.input<string, string>('in').pipe('k', 'v', at)
      for (const value of output.readValues()) seen.push([at, value])
    }
    expect(seen).toEqual([
      [5_000, 4],
      [20_000, 7]
    ])
    expect(driver.store('counts').get('k')?.value).toBe(7)
  })
})
