import { expect, it } from 'vitest'
import { number } from '../../serde/number.ts'
import { string } from '../../serde/string.ts'
import { TopologyTestDriver } from '../../testing/topology-test-driver.ts'
import { defineTopology } from '../define-topology.ts'

const texts = { key: string(), value: string() }

it('reads a topic once that is read twice in the same way', async () => {
  const topology = defineTopology('twice', (b) => {
    b.stream('in', texts).to('first')
    b.stream(['in'], texts).to('second')
  })
  expect(topology.nodes.filter(({ kind }) => kind === 'source')).toHaveLength(1)
  const driver = await TopologyTestDriver.open(topology)
  await driver.input('in').pipe('a', 'x')
  expect(driver.output('first').readValues()).toEqual(['x'])
  expect(driver.output('second').readValues()).toEqual(['x'])
  await driver.close()
})

it('refuses a topic that is read in two ways', () => {
  expect(() =>
    defineTopology('two-ways', (b) => {
      b.stream('in', texts).to('first')
      b.stream('in', { key: string(), value: number() }).to('second')
    })
  ).toThrow(/read twice/)
})
