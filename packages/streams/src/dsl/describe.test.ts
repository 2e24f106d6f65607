import { expect, it } from 'vitest'
import { describeTopology, formatTopology } from '../graph/describe.ts'
import { json } from '../serde/json.ts'
import { string } from '../serde/string.ts'
import { defineTopology } from './define-topology.ts'
import { hopping } from './windows.ts'

const topology = defineTopology('orders', (b) => {
  const placed = b.stream('placed', { key: string(), value: json<{ total: number }>() })
  const changed = b.stream('changed', { key: string(), value: json<{ total: number }>() })
  placed
    .merge(changed)
    .filterNot((order) => order.total === 0)
    .groupByKey()
    .windowedBy(hopping({ size: '1h', advance: '10m', grace: '90s' }))
    .aggregate(
      () => 0,
      (order, sum) => order.total + sum,
      { value: json(), emit: 'final' }
    )
    .toStream()
    .to('revenue')
})

it('is text, a line a node', () => {
  expect(formatTopology(topology)).toBe(`orders
  sub-topology 0
    placed-source: source placed (string, json) -> placed-changed-merge
    changed-source: source changed (string, json) -> placed-changed-merge
    placed-changed-merge: merge -> placed-changed-filterNot
    placed-changed-filterNot: filterNot -> placed-changed-hopping-1h-10m-aggregate
    placed-changed-hopping-1h-10m-aggregate: aggregate hopping 1h by 10m grace 90s in placed-changed-hopping-1h-10m-aggregate, emits final -> placed-changed-hopping-1h-10m-aggregate-toStream
    placed-changed-hopping-1h-10m-aggregate-toStream: toStream -> revenue-sink
    revenue-sink: sink revenue (windowed(string), json)
    same number of partitions: placed, changed
`)
})

it('is plain data', () => {
  const description = describeTopology(topology)
  expect(JSON.parse(JSON.stringify(description))).toEqual(description)
  expect(description.subtopologies).toMatchObject([
    { id: 0, stores: ['placed-changed-hopping-1h-10m-aggregate'], copartitioned: [['placed', 'changed']] }
  ])
  expect(description.subtopologies[0]?.nodes[2]).toEqual({
    name: 'placed-changed-merge',
    does: 'merge',
    detail: '',
    parents: ['placed-source', 'changed-source'],
    children: ['placed-changed-filterNot'],
    reads: [],
    writes: [],
    stores: [],
    emit: null,
    graceMs: null,
    idleMs: null,
    ttlMs: null
  })
})
