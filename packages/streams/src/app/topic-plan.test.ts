import { expect, it } from 'vitest'
import { defineTopology } from '../dsl/define-topology.ts'
import { string } from '../serde/string.ts'
import { planTopics } from './topic-plan.ts'

it('a repartition topic that comes back to the sub-topology which writes it has as many partitions as what else that reads', () => {
  const topology = defineTopology('round', (b) => {
    const rekeyed = b.stream('in', { key: string(), value: string() }).selectKey((value) => value)
    const repartitioned = rekeyed.repartition({ name: 'again' })
    repartitioned.groupBy((value) => `${value}!`).count({ store: 'counts' })
    repartitioned.merge(rekeyed).to('out')
  })
  const { partitions } = planTopics(topology, new Map([['in', 4]]))
  expect(partitions.get('round-again-repartition')).toBe(4)
  expect(partitions.get('round-counts-changelog')).toBe(4)
})
