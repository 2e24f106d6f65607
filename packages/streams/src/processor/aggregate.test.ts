import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'

const text = { key: string(), value: string() }

/** Sums of lengths; an empty text deletes the key, `boom` fails. */
function lengths(emit: 'commit' | 'changes') {
  return defineTopology('lengths', (builder) => {
    builder
      .stream('in', text)
      .groupByKey()
      .aggregate(
        () => 0,
        (value, sum) => (value === '' ? (null as never) : sum + value.length),
        { value: json<number>(), store: 'sums', emit }
      )
      .toStream()
      .to('out')
  })
}

describe('aggregations per key', () => {
  it.each(['commit', 'changes'] as const)(
    'keep the greatest time, drop nulls, and begin anew after null (%s)',
    async (emit) => {
      const driver = await TopologyTestDriver.open(lengths(emit))
      const input = driver.input<string, string>('in')
      const output = driver.output<string, number>('out')
      await input.pipe('a', 'xx', 10)
      await input.pipe('a', 'x', 5)
      await input.pipe('a', '', 7)
      await input.pipe('a', 'xxx', 2)
      await input.pipe(null, 'x', 20)
      await input.pipe('a', null, 20)
      expect(output.readAll().map(({ value, timestamp }) => [value, timestamp])).toEqual([
        [2, 10],
        [3, 10],
        [null, 10],
        [3, 2]
      ])
      expect(driver.dropped('null-key')).toBe(1)
      expect(driver.dropped('null-value')).toBe(1)
      expect(driver.store('sums').get('a')).toEqual({ value: 3, timestamp: 2 })
    }
  )

  it('emits nothing at the commit for a key that came and went since the last one', async () => {
    const topology = defineTopology('pairs', (builder) => {
      builder
        .stream('in', text)
        .flatMapValues((value) => [value, 'delete'], { value: string() })
        .groupByKey()
        .reduce((value, reduced) => (value === 'delete' ? (null as never) : reduced + value))
        .toStream()
        .to('out')
    })
    const driver = await TopologyTestDriver.open(topology)
    await driver.input<string, string>('in').pipe('a', 'x', 1)
    expect(driver.output('out').readAll()).toEqual([])
  })

  it('sends the headers of the record with every change, and none with a commit', async () => {
    for (const [emit, expected] of [
      ['changes', 1],
      ['commit', 0]
    ] as const) {
      const driver = await TopologyTestDriver.open(lengths(emit))
      const headers = [{ key: 'trace', value: Buffer.from('7') }]
      await driver.input<string, string>('in').pipe('a', 'x', { timestamp: 1, headers })
      expect(driver.output('out').read()?.headers).toHaveLength(expected)
    }
  })
})
