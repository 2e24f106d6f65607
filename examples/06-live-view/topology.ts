import { changedRows, materializedView, rowKey } from '@millrace/connectors'
import { defineTopology, json } from '@millrace/streams'

/** A row of the table `customers`. */
export interface Customer {
  readonly id: number
  readonly name: string
  readonly city: string
}

/** A row of the table `orders`. */
export interface Order {
  readonly id: number
  readonly customer_id: number
  readonly cents: number
}

/** An order, with where it goes. */
interface PlacedOrder {
  readonly city: string
  readonly cents: number
}

/** What a city has ordered. */
export interface CityTotal {
  readonly orders: number
  readonly cents: number
}

/** Name of the source, the schema and, with it, the prefix of the topics. */
export const SOURCE = 'example_shop'

/**
 * What SQL would write as `SELECT city, count(*), sum(cents) FROM orders JOIN customers … GROUP BY city`, kept up to date: each change of a
 * row changes what it has to, and nothing is asked again.
 */
export const liveView = defineTopology('live-view', (b) => {
  const customers = materializedView<number, Customer>(b, `${SOURCE}.${SOURCE}.customers`, {
    key: rowKey('id'),
    store: 'customers'
  })
  const orders = materializedView<number, Order>(b, `${SOURCE}.${SOURCE}.orders`, {
    key: rowKey('id'),
    store: 'orders'
  })
  orders
    .join(customers, (order, customer): PlacedOrder => ({ city: customer?.city ?? '', cents: order?.cents ?? 0 }), {
      foreignKey: (order) => order.customer_id,
      value: changedRows<PlacedOrder>(),
      name: 'placed-orders',
      store: 'placed-orders'
    })
    .groupBy((order) => order.city, { name: 'by-city' })
    .aggregate(
      {
        initial: () => ({ orders: 0, cents: 0 }),
        adder: (order, total) => ({ orders: total.orders + 1, cents: total.cents + order.cents }),
        subtractor: (order, total) => ({ orders: total.orders - 1, cents: total.cents - order.cents })
      },
      { value: json<CityTotal>(), store: 'cities' }
    )
})
