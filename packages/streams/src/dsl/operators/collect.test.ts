import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { json } from '../../serde/json.ts'
import { string } from '../../serde/string.ts'
import type { Windowed } from '../../serde/windowed.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { average, type Collector, distinct, first, last, max, min, topN } from '../collectors.ts'
import { defineTopology } from '../define-topology.ts'
import type { KTable } from '../k-table.ts'
import { sessions, tumbling } from '../windows.ts'

interface Purchase {
  readonly item: string
  readonly price: number
}

const serdes = { key: string(), value: json<Purchase>() }

/** What a plain program makes of all values of a key. */
const oracles: readonly [Collector<Purchase, unknown>, (all: readonly Purchase[]) => unknown][] = [
  [first<Purchase>(), (all) => all[0]],
  [last<Purchase>(), (all) => all.at(-1)],
  [min(({ price }: Purchase) => price), (all) => all.toSorted((a, b) => a.price - b.price)[0]],
  [max(({ price }: Purchase) => price), (all) => all.toSorted((a, b) => b.price - a.price)[0]],
  [average(({ price }: Purchase) => price), (all) => all.reduce((sum, { price }) => sum + price, 0) / all.length],
  [topN(2, ({ price }: Purchase) => price), (all) => all.toSorted((a, b) => b.price - a.price).slice(0, 2)],
  [distinct(({ item }: Purchase) => item, string()), (all) => [...new Set(all.map(({ item }) => item))]]
]

const purchases = fc.array(
  fc.record({ item: fc.constantFrom('tea', 'milk', 'rye'), price: fc.nat(5), timestamp: fc.nat(40) }),
  { minLength: 1, maxLength: 15 }
)

describe.each(oracles.map(([collector, oracle]) => [collector.verb, collector, oracle] as const))(
  '%s',
  (_verb, collector, oracle) => {
    it('is what a plain program makes of the values of a key', async () => {
      await fc.assert(
        fc.asyncProperty(purchases, async (all) => {
          const topology = defineTopology('app', (b) => {
            b.stream('in', serdes).groupByKey().collect(collector).toStream().to('out', { value: json() })
          })
          const driver = await TopologyTestDriver.open(topology)
          for (const { timestamp, ...purchase } of all) await driver.input('in').pipe('k', purchase, timestamp)
          const seen = all.map(({ item, price }) => ({ item, price }))
          expect(driver.output('out').readValues().at(-1)).toEqual(oracle(seen))
        }),
        { numRuns: 20 }
      )
    })

    it('is the same of the values of a window, and of sessions that become one', async () => {
      await fc.assert(
        fc.asyncProperty(purchases, async (unordered) => {
          // In time order, so that the order of merged sessions is that in which the values came.
          const all = unordered.toSorted((a, b) => a.timestamp - b.timestamp)
          const topology = defineTopology('app', (b) => {
            const grouped = b.stream('in', serdes).groupByKey()
            grouped
              .windowedBy(tumbling({ size: 100 }))
              .collect(collector)
              .toStream()
              .to('windows', { value: json() })
            grouped
              .windowedBy(sessions({ gap: 50 }))
              .collect(collector)
              .toStream()
              .to('sessions', { value: json() })
          })
          const driver = await TopologyTestDriver.open(topology)
          for (const { timestamp, ...purchase } of all) await driver.input('in').pipe('k', purchase, timestamp)
          const expected = oracle(all.map(({ item, price }) => ({ item, price })))
          expect(driver.output('windows').readValues().at(-1)).toEqual(expected)
          expect(driver.output('sessions').readValues().at(-1)).toEqual(expected)
        }),
        { numRuns: 10 }
      )
    })
  }
)

it('infers the values from the stream, and passes null ones over', async () => {
  const topology = defineTopology('app', (b) => {
    const grouped = b.stream('in', serdes).groupByKey()
    const means = grouped.windowedBy(tumbling({ size: 10 })).collect(average((purchase) => purchase.price))
    expectTypeOf(means).toEqualTypeOf<KTable<Windowed<string>, number>>()
    const top = grouped.collect(
      topN(3, (purchase) => purchase.price),
      { store: 'top' }
    )
    expectTypeOf(top).toEqualTypeOf<KTable<string, readonly Purchase[]>>()
    means.toStream().to('out', { value: json() })
  })
  expect(topology.stores.map(({ name }) => name)).toEqual(['in-tumbling-10ms-average', 'top'])
  const driver = await TopologyTestDriver.open(topology)
  await driver.input('in').pipe('k', { item: 'tea', price: 4 }, 1)
  await driver.input('in').pipe('k', null, 2)
  await driver.input('in').pipe('k', { item: 'tea', price: 8 }, 3)
  expect(driver.output('out').readValues()).toEqual([4, 4, 6])
})

it('refuses to keep no values', () => {
  expect(() => topN(0, (value: number) => value)).toThrow('topN(0)')
})
