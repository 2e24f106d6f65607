import { expect, it } from 'vitest'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/index.ts'
import { defineTopology } from '../define-topology.ts'

it('delivers each record of a stream that is merged with itself once', async () => {
  const topology = defineTopology('merged', (b) => {
    const words = b.stream('in', { key: string(), value: string() })
    words.merge(words).to('out')
  })
  const driver = await TopologyTestDriver.open(topology)
  await driver.input('in').pipe('a', 'x', 1)
  expect(driver.output('out').readKeyValues()).toEqual([['a', 'x']])
  await driver.close()
})
