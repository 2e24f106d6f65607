import { describe, expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import type { DurableOperator } from '../graph/durable-operator.ts'
import { json } from '../serde/json.ts'
import { number } from '../serde/number.ts'
import { string } from '../serde/string.ts'
import { simulate } from '../testing/simulate.ts'
import { TopologyTestDriver } from '../testing/topology-test-driver.ts'
import * as durable from './index.ts'

const operators: Readonly<Record<string, DurableOperator<number, unknown>>> = {
  scan: durable.scan((sum, value) => sum + value, 0, { value: number() }),
  distinctUntilChanged: durable.distinctUntilChanged(),
  pairwise: durable.pairwise(),
  bufferCount: durable.bufferCount(3, 2),
  bufferTime: durable.bufferTime(30, { maxSize: 4 }),
  debounceTime: durable.debounceTime(8),
  throttleTime: durable.throttleTime(20, { leading: true, trailing: true }),
  auditTime: durable.auditTime(15),
  sampleTime: durable.sampleTime(25),
  take: durable.take(5),
  takeWhile: durable.takeWhile((_value, index) => index < 7, true),
  skip: durable.skip(4)
}
const names = Object.keys(operators)

const topology = defineTopology('all', (b) => {
  const numbers = b.stream('in', { key: string(), value: number() })
  for (const [name, operator] of Object.entries(operators)) numbers.rx(operator, { value: json() }).to(name)
})

/** In time order, since stream time is that of a partition; two records of most times. */
const input = Array.from({ length: 120 }, (_, i) => ({
  topic: 'in',
  key: `k${(i * 5) % 7}`,
  value: (i * 31) % 4,
  timestamp: 3 * (i >> 1) + (i > 60 ? 40 : 0)
}))

type Emission = readonly [key: unknown, value: unknown, timestamp: number]

async function undisturbed(): Promise<Map<string, Emission[]>> {
  const driver = await TopologyTestDriver.open(topology)
  for (const { key, value, timestamp } of input) await driver.input<string, number>('in').pipe(key, value, timestamp)
  const emitted = (name: string) => driver.output(name).readAll()
  return new Map(
    names.map((name) => [name, emitted(name).map(({ key, value, timestamp }): Emission => [key, value, timestamp])])
  )
}

describe('durable operators on instances that take over from one another', () => {
  it('emit what one that runs through does, with states and timers from their changelogs', {
    timeout: 120_000
  }, async () => {
    const expected = await undisturbed()
    for (const name of names) expect(expected.get(name)?.length, name).toBeGreaterThan(6)
    let crashes = 0
    for (let seed = 1; seed <= 6; seed++) {
      const { output, counts } = await simulate(topology, {
        seed,
        input,
        partitions: 1,
        faults: { crashes: 4, rebalances: 2 },
        commitInterval: '5ms'
      })
      crashes += counts.crashes
      for (const name of names) {
        const came = output(name).map(({ key, value, timestamp }): Emission => [key, value, timestamp])
        expect(came, `${name}, seed ${seed}`).toEqual(expected.get(name))
      }
    }
    expect(crashes).toBeGreaterThan(12)
  })
})
