import { expect, expectTypeOf, it } from 'vitest'
import { json } from '../serde/json.ts'
import { long } from '../serde/long.ts'
import { number } from '../serde/number.ts'
import type { Serde } from '../serde/serde.ts'
import { string } from '../serde/string.ts'
import type { GlobalKTable } from './k-global-table.ts'
import type { KGroupedTable } from './k-grouped-table.ts'
import type { KStream } from './k-stream.ts'
import type { KTable } from './k-table.ts'
import type { StreamsBuilder } from './streams-builder.ts'

/** What the types of tables and joins allow and refuse; the compiler judges it, as with `dsl.types.test.ts`. */
interface Order {
  product: string
  amount: number
}
interface Product {
  price: number
}

declare const b: StreamsBuilder
declare const clicks: KStream<string, string>
declare const orders: KTable<string, Order | null>
declare const products: KTable<string, Product | null>
declare const numbered: KTable<number, Product>
declare const numberedStream: KStream<number, string>
declare const campaigns: GlobalKTable<number, Product>
declare const byProduct: KGroupedTable<string, Order | null>

export function tables(): void {
  const text = { key: string(), value: json<Order>() }
  expectTypeOf(b.table('orders', text)).toEqualTypeOf<KTable<string, Order | null>>()
  // @ts-expect-error a topic's rows have to be read
  b.table<string, Order>('orders', { key: string() })
  // @ts-expect-error functions never see a deleted row
  orders.filter((order) => order === null || order.price > 1)
  orders.filter((order, { key }) => order.amount > 1 && key !== '')
  // @ts-expect-error a table is no stream
  orders.to('out')
  // @ts-expect-error a table is aggregated by another key only
  orders.count()
  expectTypeOf(orders.toStream()).toEqualTypeOf<KStream<string, Order | null>>()
  expectTypeOf(clicks.toTable()).toEqualTypeOf<KTable<string, string | null>>()
  const amounts = orders.mapValues((order) => order.amount)
  // @ts-expect-error the new values have no serde
  amounts.toStream().to('out')
  // @ts-expect-error nor can they be kept without one
  orders.mapValues((order) => order.amount, { store: 'amounts' })
  orders
    .mapValues((order) => order.amount, { store: 'amounts', value: long() })
    .toStream()
    .to('out')
}

export function groups(): void {
  expectTypeOf(orders.groupBy((order) => order.product)).toEqualTypeOf<KGroupedTable<string, Order | null>>()
  // @ts-expect-error new keys that are no text need a serde
  orders.groupBy((order) => order.amount)
  orders.groupBy((order) => order.amount, { key: number() }).count()
  // @ts-expect-error what was added has to be taken out again
  byProduct.aggregate({ initial: () => 0, adder: (order, sum) => sum + order.amount }, { value: long() })
  // @ts-expect-error without windows nothing is final
  byProduct.count({ emit: 'final' })
}

export function joins(): void {
  const fn = (order: Order, product: Product) => order.amount * product.price
  expectTypeOf(orders.join(products, fn, { value: number() })).toEqualTypeOf<KTable<string, number | null>>()
  // @ts-expect-error the keys differ
  orders.join(numbered, fn)
  // @ts-expect-error the product may be missing
  orders.leftJoin(products, fn)
  // @ts-expect-error a foreign key is of the other table's keys
  orders.join(numbered, fn, { foreignKey: (order) => order.product })
  orders
    .join(numbered, fn, { foreignKey: (order) => order.amount, value: number() })
    .toStream()
    .to('out')
  // @ts-expect-error streams are joined within a time
  clicks.join(clicks, (one, other) => one + other)
  // @ts-expect-error the keys differ
  clicks.join(numberedStream, (one, other) => one + other, { within: '1m' })
  // @ts-expect-error the result has no serde
  clicks.join(clicks, (one, other) => one + other, { within: '1m' }).to('out')
  clicks.join(clicks, (one, other) => one + other, { within: '1m', value: string() }).to('out')
  const lengths = clicks.mapValues((click) => click.length)
  // @ts-expect-error the left values are kept, and have no serde
  lengths.join(clicks, (one, other) => one + other.length, { within: '1m' })
  lengths.join(clicks, (one, other) => one + other.length, { within: '1m', left: long() })
  // @ts-expect-error the keys differ
  clicks.join(numbered, (click, product) => click.length * product.price)
  clicks.join(orders, (click, order) => click.length * order.amount, { value: number() }).to('out')
  // @ts-expect-error a stream has no outer join with a table
  clicks.outerJoin(orders, (click) => click)
  // @ts-expect-error which row of the global table?
  clicks.join(campaigns, (click, product) => click.length * product.price)
  // @ts-expect-error its keys are numbers
  clicks.join(campaigns, (click, product) => click.length * product.price, { key: (click) => click })
  clicks.join(campaigns, (click, product) => click.length * product.price, { key: (click) => click.length })
  clicks.join(campaigns, (_click, _product, { key, mappedKey }) => key.length + mappedKey, { key: () => 1 })
  // @ts-expect-error a record may want no row
  clicks.leftJoin(campaigns, (_click, _product, { mappedKey }) => mappedKey + 1, { key: () => 1 })
  const options = { foreignKey: (order: Order) => order.amount, value: number() }
  orders.join(numbered, fn, { ...options, partitioners: { left: (key) => key.length, right: (id, of) => id % of } })
  // @ts-expect-error the other table's keys are numbers
  orders.join(numbered, fn, { ...options, partitioners: { right: (id: string) => id.length } })
}

export function kept(): void {
  orders.filter(() => true, { store: { name: 'kept', changelog: false, engine: 'memory' } })
  // @ts-expect-error a step that is only kept if it is named needs the name
  orders.filter(() => true, { store: { changelog: false } })
  clicks.groupByKey().count({ store: { changelog: { 'segment.ms': '1' } } })
  // @ts-expect-error configurations are text
  clicks.groupByKey().count({ store: { changelog: { 'segment.ms': 1 } } })
  // @ts-expect-error there is one such engine
  clicks.groupByKey().count({ store: { engine: 'disk' } })
  clicks.join(clicks, (one) => one, { within: 1, store: 'both', stores: { left: { engine: 'memory' } } })
  // @ts-expect-error a join of a stream with a table has no sides to keep
  clicks.join(orders, (one) => one, { stores: { left: { engine: 'memory' } } })
}

export function transformed(): void {
  const prices = b.store('prices', { key: string(), value: number() })
  const totals = orders.transformValues(
    (order, { key, timestamp }, context) => {
      expectTypeOf(order).toEqualTypeOf<Order | null>()
      expectTypeOf(key).toEqualTypeOf<string>()
      expectTypeOf(timestamp).toEqualTypeOf<number>()
      expectTypeOf(context.store('prices').get(key)).toEqualTypeOf<number | undefined>()
      return order === null ? null : order.amount
    },
    { stores: [prices] }
  )
  expectTypeOf(totals).toEqualTypeOf<KTable<string, number | null, 'key'>>()
  // @ts-expect-error the new values have no serde
  totals.toStream().to('out')
  // @ts-expect-error nor can they be kept without one
  orders.transformValues((order) => order?.amount ?? 0, { store: 'amounts' })
  orders.transformValues((order) => order?.amount ?? 0, { store: 'amounts', value: number() })
  // @ts-expect-error a row may be gone
  orders.transformValues((order) => order.amount)
  // @ts-expect-error a store has to be given
  orders.transformValues((_order, _row, context) => context.store('prices').get('a'))
  // @ts-expect-error there is nothing to forward with
  orders.transformValues((_order, _row, context) => context.forward(1))
  // @ts-expect-error a stream has processValues
  clicks.transformValues((click: string) => click)
}

export function rekeyed(): void {
  const byProductName = orders.toStream((order) => order?.product ?? '')
  expectTypeOf(byProductName).toEqualTypeOf<KStream<string, Order | null>>()
  // @ts-expect-error new keys that are no text have no serde
  orders.toStream((order) => order?.amount ?? 0).to('out')
  orders.toStream((order) => order?.amount ?? 0, { key: number() }).to('out')
  expectTypeOf(orders.queryableStoreName()).toEqualTypeOf<string | undefined>()
}

export function globals(): void {
  const kept = b.globalStore('prices', 'price-events', {
    key: string(),
    value: number(),
    input: { key: number(), value: json<Product>() },
    process: (record, store) => {
      expectTypeOf(record.key).toEqualTypeOf<number | null>()
      expectTypeOf(record.value).toEqualTypeOf<Product | null>()
      store.put('all', record.value?.price ?? 0)
      // @ts-expect-error the store's keys are text
      store.put(1, 1)
    }
  })
  expectTypeOf(kept.value).toEqualTypeOf<Serde<number>>()
  // @ts-expect-error how is the topic read?
  b.globalStore('prices', 'price-events', { key: string(), value: number(), process: () => undefined })
}

it('is the compiler that judges', () => {
  expect([tables, groups, joins, kept, transformed, rekeyed, globals]).toHaveLength(7)
})
