import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }

describe('a compiled graph', () => {
  it('runs children depth first, in the order in which they were defined', async () => {
    const seen: string[] = []
    const topology = defineTopology('order', (builder) => {
      const stream = builder.stream('in', text)
      const first = stream.peek(() => seen.push('first'))
      first.peek(() => seen.push('below first'))
      const second = stream.peek(() => seen.push('second'))
      first.merge(second).peek(() => seen.push('merged'))
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x', 0)
    expect(seen).toEqual(['first', 'below first', 'merged', 'second', 'merged'])
  })

  it('leads a repartition through its internal topic into the next sub-topology', async () => {
    const topology = defineTopology('app', (builder) => {
      const stream = builder.stream('in', text)
      stream.groupBy((value) => value).count({ store: 'counts' })
    })
    expect(topology.subtopologies).toHaveLength(2)
    const driver = await TopologyTestDriver.open(topology)
    const input = driver.input<string, string>('in')
    await input.pipe('a', 'x', 3)
    await input.pipe('b', 'x', 2)
    await input.pipe('b', null, 2)
    expect(driver.store('counts').get('x')).toEqual({ value: 2, timestamp: 3 })
    expect(driver.topics()).toContain('app-in-groupBy-repartition')
    expect(driver.dropped('null-key')).toBe(1)
  })

  it('sends by a partitioner of its own', async () => {
    const partitions: number[] = []
    const topology = defineTopology('sinks', (builder) => {
      builder.stream('in', text).to('out', {
        partitioner: (_key, value, count) => {
          partitions.push(count)
          return value.length % count
        }
      })
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x', 3)
    expect(partitions).toEqual([1])
    expect(driver.output('out').readKeyValues()).toEqual([['a', 'x']])
  })

  it('a value that cannot be encoded is an error of the sink', async () => {
    const topology = defineTopology('sinks', (builder) => {
      builder
        .stream('in', text)
        .mapValues((): unknown => 1n, { value: json<unknown>() })
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    const piped = driver.input<string, string>('in').pipe('a', 'x', 3)
    await expect(piped).rejects.toMatchObject({ code: 'STREAMS_PROCESSING', node: 'out-sink', topic: 'in', offset: 0 })
  })
})
