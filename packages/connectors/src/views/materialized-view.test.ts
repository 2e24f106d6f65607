import { openLog } from '@millrace/log'
import { defineTopology, json, type KTable, runStreams } from '@millrace/streams'
import { TopologyTestDriver } from '@millrace/streams/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { UNAVAILABLE_VALUE } from '../rows/debezium-rows.ts'
import { type ChangeEvent, changeEvents, rowKey, rowKeys } from './change-event.ts'
import { KeylessChangeError } from './errors.ts'
import { materializedView } from './materialized-view.ts'

interface Order {
  readonly id: number
  readonly customer: string
  readonly total: number
}
const key = rowKey<number>('id')
type Event = ChangeEvent<Order>
const event = (op: Event['op'], before: Order | null, after: Order | null): Event => ({
  op,
  before,
  after,
  source: {},
  ts_ms: 0
})

const totals = defineTopology('totals', (b) => {
  const orders: KTable<number, Order | null> = materializedView<number, Order>(b, 'shop.orders', {
    key,
    store: 'orders'
  })
  orders
    .groupBy((order) => order.customer)
    .aggregate(
      {
        initial: () => 0,
        adder: (order, sum) => sum + order.total,
        subtractor: (order, sum) => sum - order.total
      },
      { value: json<number>(), store: 'totals' }
    )
})

describe('materializedView', () => {
  it('is the table that the changes leave, with what is made of it', async () => {
    const driver = await TopologyTestDriver.open(totals)
    const input = driver.input<number, Event | null>('shop.orders')
    await input.pipe(1, event('r', null, { id: 1, customer: 'ann', total: 10 }))
    await input.pipe(2, event('c', null, { id: 2, customer: 'ann', total: 5 }))
    await input.pipe(1, event('u', null, { id: 1, customer: 'bob', total: 7 }))
    await input.pipe(2, event('d', { id: 2, customer: 'ann', total: 5 }, null))
    await input.pipe(2, null)
    expect(driver.store('orders').get(1)?.value).toEqual({ id: 1, customer: 'bob', total: 7 })
    expect(driver.store('orders').get(2)).toBeUndefined()
    expect(driver.store('totals').get('ann')?.value).toBe(0)
    expect(driver.store('totals').get('bob')?.value).toBe(7)
    await driver.close()
  })

  it('keeps what it has of a value that the source could not give', async () => {
    const driver = await TopologyTestDriver.open(totals)
    const input = driver.input<number, unknown>('shop.orders')
    await input.pipe(1, event('c', null, { id: 1, customer: 'ann', total: 10 }))
    await input.pipe(1, { ...event('u', null, null), after: { id: 1, customer: UNAVAILABLE_VALUE, total: 11 } })
    expect(driver.store('orders').get(1)?.value).toEqual({ id: 1, customer: 'ann', total: 11 })
    await driver.close()
  })

  it.each(['c', 'u', 'r', 'd'] as const)('refuses a change without a key instead of leaving it out: %s', async (op) => {
    const driver = await TopologyTestDriver.open(totals)
    const input = driver.input<number | null, unknown>('shop.orders')
    const row = { id: 1, customer: 'ann', total: 10 }
    const change = op === 'd' ? event(op, row, null) : event(op, null, row)
    await expect(input.pipe(null, change)).rejects.toSatisfy(
      (error) =>
        error instanceof KeylessChangeError || (error instanceof Error && error.cause instanceof KeylessChangeError)
    )
    await driver.close()
  })

  it('passes messages and tombstones by', async () => {
    const driver = await TopologyTestDriver.open(totals)
    const input = driver.input<number | null, unknown>('shop.orders')
    await input.pipe(1, event('c', null, { id: 1, customer: 'ann', total: 10 }))
    await input.pipe(null, { op: 'm', source: {}, message: { prefix: 'note', content: '' } })
    await input.pipe(1, null)
    expect(driver.store('orders').get(1)?.value).toMatchObject({ total: 10 })
    await driver.close()
  })

  it('is empty after a truncate, whatever came before', async () => {
    const row = fc.record({ id: fc.nat(5), customer: fc.constantFrom('ann', 'bob'), total: fc.nat(100) })
    const change = fc.oneof(
      row.map((after) => ({ id: after.id, event: event('u', null, after) })),
      fc.nat(5).map((id) => ({ id, event: event('d', null, null) })),
      fc.constant({ id: null, event: event('t', null, null) })
    )
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 20 }), async (changes) => {
        const driver = await TopologyTestDriver.open(totals)
        const model = new Map<number, Order>()
        for (const { id, event: each } of changes) {
          await driver.input<number | null, Event>('shop.orders').pipe(id, each)
          if (each.op === 't') model.clear()
          else if (id !== null && each.after) model.set(id, each.after)
          else if (id !== null) model.delete(id)
        }
        const sums = Object.groupBy(model.values(), ({ customer }) => customer)
        for (const id of [0, 1, 2, 3, 4, 5]) expect(driver.store('orders').get(id)?.value).toEqual(model.get(id))
        for (const customer of ['ann', 'bob'] as const) {
          const sum = (sums[customer] ?? []).reduce((total, order) => total + order.total, 0)
          expect(driver.store('totals').get(customer)?.value ?? 0).toBe(sum)
        }
        await driver.close()
      }),
      { numRuns: 50 }
    )
  })

  it('is there again after a restart, and can be queried and watched', async () => {
    const log = await openLog('memory:')
    const producer = log.producer()
    const send = (id: number, change: Event) =>
      producer.send({ topic: 'shop.orders', key: key.encode(id), value: changeEvents<Order>().encode(change) })
    await log.admin().createTopics([{ name: 'shop.orders', partitions: 2 }])
    await Promise.all([1, 2, 3].map((id) => send(id, event('c', null, { id, customer: 'ann', total: id }))))
    const first = await runStreams(totals, { log })
    await expect.poll(async () => await first.store<string, number>('totals').get('ann')).toBe(6)
    await first.close()
    await send(2, event('d', null, null))
    const second = await runStreams(totals, { log })
    await expect.poll(async () => await second.store<string, number>('totals').get('ann')).toBe(4)
    expect(await second.store<number, Order>('orders').get(3)).toEqual({ id: 3, customer: 'ann', total: 3 })
    await second.close()
    await producer.close()
    await log.close()
  })
})

describe('keys of change events', () => {
  it("are the source's bytes, whether taken as a whole or as their one column", () => {
    const bytes = Buffer.from('{"id":9007199254740993}')
    expect(rowKey<bigint>('id').decode(bytes, 0, bytes.length)).toBe(9007199254740993n)
    expect(rowKey<bigint>('id').encode(9007199254740993n)).toEqual(bytes)
    expect(rowKeys<{ id: bigint }>().encode({ id: 9007199254740993n })).toEqual(bytes)
    expect(() => rowKey('nr').decode(bytes, 0, bytes.length)).toThrow(/the key's columns are id, not nr/)
  })
})
