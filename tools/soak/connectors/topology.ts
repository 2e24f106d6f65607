import { createHash } from 'node:crypto'
import { materializedView, rowKey, rowKeys } from '@millrace/connectors'
import { defineTopology, json, type KStream, type Serde, type StreamsBuilder } from '@millrace/streams'

/** A row of `customers`, as far as the topology reads it. */
export interface Customer {
  readonly id: number
  readonly name: string
  readonly region: string | null
}

/** A row of `orders`. */
export interface Order {
  readonly id: number
  readonly customer: number
  readonly amount: number
  readonly status: string
  readonly memo: string | null
}

/** A row of `items`. */
export interface Item {
  readonly id: number
  readonly line: number
  readonly quantity: number
  readonly price: number
}

interface Sums {
  readonly lines: number
  readonly total: number
}

interface OrderWithSums extends Order, Sums {}

/** A row of `enriched`, before it has its version. */
export interface Enriched extends Sums {
  readonly customer: string | null
  readonly region: string | null
  readonly amount: number
  readonly status: string
  readonly memo: string | null
}

interface RegionSums {
  readonly orders: number
  readonly amount: number
  readonly total: number
}

const NO_SUMS: Sums = { lines: 0, total: 0 }

/** Views of three tables, joined by equal and by foreign keys, aggregated twice; each result has the number of its change. */
export const shopTopology = defineTopology('shop-views', (b) => {
  const id = rowKey<number>('id')
  const orders = materializedView<number, Order>(b, 'shop.public.orders', { key: id, store: 'orders' })
  const customers = materializedView<number, Customer>(b, 'shop.public.customers', { key: id, store: 'customers' })
  const items = materializedView<{ id: number; line: number }, Item>(b, 'shop.public.items', {
    key: rowKeys(),
    store: 'items'
  })
  const sums = items
    .groupBy((item) => item.id, { key: id })
    .aggregate(
      {
        initial: (): Sums => NO_SUMS,
        adder: (item, { lines, total }) => ({ lines: lines + 1, total: total + item.quantity * item.price }),
        subtractor: (item, { lines, total }) => ({ lines: lines - 1, total: total - item.quantity * item.price })
      },
      { value: json<Sums>(), store: 'sums' }
    )
  const enriched = orders
    .leftJoin(sums, (order, its): OrderWithSums => ({ ...order, ...(its ?? NO_SUMS) }), {
      value: json<OrderWithSums>(),
      store: 'orders-with-sums'
    })
    .leftJoin(customers, enrichedRow, {
      foreignKey: (order) => order.customer,
      value: json<Enriched>(),
      store: 'enriched'
    })
  const regions = enriched
    .groupBy((row) => row.region, { key: rowKey<string>('region') })
    .aggregate(
      {
        initial: (): RegionSums => ({ orders: 0, amount: 0, total: 0 }),
        adder: (row, sum) => ({
          orders: sum.orders + 1,
          amount: sum.amount + row.amount,
          total: sum.total + row.total
        }),
        subtractor: (row, sum) => ({
          orders: sum.orders - 1,
          amount: sum.amount - row.amount,
          total: sum.total - row.total
        })
      },
      { value: json<RegionSums>(), store: 'region-sums' }
    )
    .filter((sum) => sum.orders > 0, { store: 'regions' })
  numberedTo(b, enriched.toStream(), { topic: 'enriched', key: id })
  numberedTo(b, regions.toStream(), { topic: 'regions', key: rowKey<string>('region') })
})

/** Numbers the changes of each key, deletes among them: 1, 2, 3 and so on in the topic is what exactly once means. */
function numberedTo<K extends NonNullable<unknown>, V extends object>(
  builder: StreamsBuilder,
  changes: KStream<K, V | null>,
  { topic, key }: { readonly topic: string; readonly key: Serde<K> }
): void {
  const versions = builder.store(`${topic}-versions`, { key, value: json<number>() })
  changes
    .process<object | null, readonly [typeof versions]>(
      ({ key: changed, value }, context) => {
        const kept = context.store(versions.name)
        const version = (kept.get(changed) ?? 0) + 1
        kept.put(changed, version)
        context.forward(changed, value === null ? null : { ...value, version })
      },
      { stores: [versions], value: json<object | null>(), keepsPartition: true }
    )
    .to(topic, { key })
}

function enrichedRow({ amount, status, memo, lines, total }: OrderWithSums, customer: Customer | null): Enriched {
  return {
    customer: customer?.name ?? null,
    region: customer?.region ?? null,
    amount,
    status,
    memo: memo === null ? null : createHash('md5').update(memo).digest('hex'),
    lines,
    total
  }
}
