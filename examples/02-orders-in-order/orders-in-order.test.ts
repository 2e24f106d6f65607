import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { describe, expect, it } from 'vitest'
import { type OrderHistory, type OrderStep, ordersInOrder, STEPS } from './topology.ts'

describe('orders in order', () => {
  it('does the steps of an order one after another, while the others run on', async () => {
    const driver = await TopologyTestDriver.open(ordersInOrder)
    const input = driver.input<string, OrderStep>('order-steps')
    const startMs = driver.nowMs
    for (const step of STEPS) {
      await input.pipe('1001', { step, takesMs: step === 'paid' ? 500 : 20 })
      await input.pipe('3003', { step, takesMs: 20 })
    }
    const history = async (order: string) => driver.store<string, OrderHistory>('order-history').get(order)?.value
    await driver.advanceWallClock(100)
    expect((await history('3003'))?.done.map(({ step }) => step)).toEqual(STEPS)
    expect((await history('1001'))?.done.map(({ step }) => step)).toEqual(['placed'])
    await driver.advanceWallClock(1_000)
    expect(await history('1001')).toEqual({
      done: STEPS.map((step, i) => ({ step, doneAtMs: startMs + [20, 520, 540, 560, 580][i] })),
      outOfOrder: 0
    })
    expect(await driver.store('order-queues').all()).toEqual([])
    await driver.close()
  })

  it('notices steps that come in another order', async () => {
    const driver = await TopologyTestDriver.open(ordersInOrder)
    const input = driver.input<string, OrderStep>('order-steps')
    for (const step of ['placed', 'packed', 'paid']) await input.pipe('1001', { step, takesMs: 10 })
    await driver.advanceWallClock(1_000)
    expect(driver.store<string, OrderHistory>('order-history').get('1001')?.value.outOfOrder).toBe(2)
    await driver.close()
  })

  it('runs on a log', () => {
    const main = join(import.meta.dirname, 'main.ts')
    const printed = execFileSync(process.execPath, ['--conditions=source', main], { encoding: 'utf8' })
    const orders = [...printed.matchAll(/^order (\d+) {2}in order/gm)].map(([, order]) => order)
    expect(orders.toSorted()).toEqual(['1001', '2002', '3003', '4004', '5005', '6006', '7007', '8008'])
    expect(orders.slice(-2).toSorted()).toEqual(['1001', '2002'])
  })
})
