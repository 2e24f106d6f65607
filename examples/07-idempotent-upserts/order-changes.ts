import { defineSource } from '@millrace/connectors'

/** What happens to an order, one after the other. */
const STATUSES = ['placed', 'paid', 'packed', 'shipped', 'delivered'] as const
/** Orders that the changes are about. */
export const ORDERS = 2_000
const MIXING = 1_237
const BATCH_MS = 50

/** The state of an order after a change; the key is the order. */
export interface OrderChange {
  /** Number of the change, from 0. */
  readonly change: number
  readonly status: string
  readonly cents: number
}

/** The change of that number: one of each order, in mixed order, before the second of any. */
export function orderChange(change: number): { readonly order: string; readonly value: OrderChange } {
  const round = Math.floor(change / ORDERS)
  const nr = (change * MIXING) % ORDERS
  const status = STATUSES[round % STATUSES.length] ?? ''
  return { order: `order-${1000 + nr}`, value: { change, status, cents: 500 + ((nr * 97) % 9_000) + round } }
}

/** How many changes there are, and how fast they come. */
export interface Feed {
  readonly changes: number
  readonly perSecond: number
}

/** Brings the changes to the topic `orders`. Its position is the number of the next one: the runtime commits it together with the records. */
export function orderChanges({ changes, perSecond }: Feed) {
  return defineSource<number>('order-changes', async function* ({ position = 0, signal, sleep }) {
    const most = Math.max(1, Math.round((perSecond * BATCH_MS) / 1000))
    for (let next = position; next < changes && !signal.aborted; ) {
      const count = Math.min(most, changes - next)
      const records = Array.from({ length: count }, (_, i) => {
        const { order, value } = orderChange(next + i)
        return { topic: 'orders', key: order, value: { ...value } }
      })
      next += count
      yield { records, position: next }
      await sleep(BATCH_MS)
    }
  })
}
