import { afterEach, describe, expect, it, vi } from 'vitest'
import { describeTopology } from '../../graph/describe.ts'
import { bigint } from '../../serde/bigint.ts'
import { json } from '../../serde/json.ts'
import { string } from '../../serde/string.ts'
import { tuple } from '../../serde/tuple.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const TEXT = { key: string(), value: string() }

afterEach(() => vi.restoreAllMocks())

describe('forEach', () => {
  it('sees every record with its key and place, and is an end', async () => {
    const seen: unknown[] = []
    const topology = defineTopology('app', (b) => {
      b.stream('in', TEXT).forEach(
        (value, { key, timestamp, offset }) => void seen.push([key, value, timestamp, offset]),
        {
          name: 'notify'
        }
      )
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x', 5)
    await driver.input<string, string>('in').pipe('b', 'y', 4)
    expect(seen).toEqual([
      ['a', 'x', 5, 0],
      ['b', 'y', 4, 1]
    ])
    const nodes = describeTopology(topology).subtopologies.flatMap((part) => part.nodes)
    expect(nodes.at(-1)).toMatchObject({ name: 'notify', does: 'forEach', children: [] })
  })
})

describe('print', () => {
  it('writes whole numbers of any size, wherever they stand', async () => {
    const lines: string[] = []
    const key = tuple(string(), bigint())
    const topology = defineTopology('app', (b) => {
      b.stream('in', { key, value: string() }).print({ write: (line) => void lines.push(line), label: 'in' })
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<readonly [string, bigint], string>('in').pipe(['a', 2n ** 62n], 'x')
    expect(lines).toEqual(['[in]: ["a","4611686018427387904"], x'])
  })

  it('writes a line a record, with what the program says of it', async () => {
    const lines: string[] = []
    const write = (line: string) => void lines.push(line)
    const topology = defineTopology('app', (b) => {
      const stream = b.stream('in', { key: string(), value: json<{ n: number }>() })
      stream.print({ write })
      stream.print({ write, label: 'seen', mapper: ({ n }, { key }) => `${key} has ${n}` })
      stream.filter(({ n }) => n > 1).print({ write, name: 'large' })
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, { n: number }>('in').pipe('a', { n: 1 })
    await driver.input<string, { n: number }>('in').pipe('b', { n: 2 })
    expect(lines).toEqual([
      '[in-source]: a, {"n":1}',
      '[seen]: a has 1',
      '[in-source]: b, {"n":2}',
      '[seen]: b has 2',
      '[large]: b, {"n":2}'
    ])
    expect(describeTopology(topology).subtopologies[0].nodes.map(({ does }) => does)).toContain('print')
  })

  it('writes to standard output unless it is told another place', async () => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
    const topology = defineTopology('app', (b) => b.stream('in', TEXT).print())
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x')
    expect(log.mock.calls).toEqual([['[in-source]: a, x']])
  })
})
