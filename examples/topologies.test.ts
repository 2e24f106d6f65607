import { lintTopology } from '@millrace/streams'
import { expect, it } from 'vitest'
import { clickAggregator } from './01-click-aggregator/topology.ts'
import { ordersInOrder } from './02-orders-in-order/topology.ts'
import { enrichedClicks } from './03-enriched-clicks/topology.ts'
import { visitorSessions } from './04-visitor-sessions/topology.ts'
import { debouncedAlert } from './05-debounced-alert/topology.ts'
import { liveView } from './06-live-view/topology.ts'
import { ledger } from './09-ledger/topology.ts'

const clicks = clickAggregator({ window: '1m', grace: '10s' })

it.each(
  [clicks, ordersInOrder, enrichedClicks, visitorSessions, debouncedAlert, liveView, ledger].map(
    (topology) => [topology.name, topology] as const
  )
)('lint warns of nothing in %s', (_name, topology) => {
  expect(lintTopology(topology).filter(({ severity }) => severity === 'warning')).toEqual([])
})
