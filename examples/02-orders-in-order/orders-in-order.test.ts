import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLog } from '@millrace/log'
import { TopologyTestDriver } from '@millrace/streams/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { CommittedReader } from '../committed-reader.ts'
import { type Ending, runProcess, runsUntilEnded } from '../example-process.ts'
import { type OrderHistory, type OrderStep, ordersInOrder, STEPS } from './topology.ts'

const directory = mkdtempSync(join(tmpdir(), 'millrace-orders-'))
afterAll(() => rmSync(directory, { recursive: true }))

const MAIN = join(import.meta.dirname, 'main.ts')
const run = (args: readonly string[], ending?: Ending) => runProcess(MAIN, args, ending)

const inOrder = (lines: readonly string[]) => lines.flatMap((line) => /^order (\d+) {2}in order/.exec(line)?.[1] ?? [])

/** When the last step of a printed order was done, seconds: lines may be printed later, and then together. */
const deliveredAt = (line: string) => Number(/delivered ([\d.]+) s/.exec(line)?.[1] ?? 0)

/** Of each order, by what its history was at last. */
async function stepsDone(): Promise<readonly (readonly [string, number])[]> {
  const log = await openLog(`file:${directory}`)
  const reader = await CommittedReader.open(log, 'orders-in-order-order-history-changelog')
  const last = new Map<string, number>()
  for (const { key, value } of await reader.readOn()) {
    const { done }: OrderHistory = JSON.parse(value)
    last.set(key, done.length)
  }
  await reader.close()
  await log.close()
  return [...last].toSorted()
}

const ORDERS = ['1001', '2002', '3003', '4004', '5005', '6006', '7007', '8008']

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

  it('runs on a log', async () => {
    const { lines, end } = await run([])
    expect(end).toBe(0)
    expect(inOrder(lines).toSorted()).toEqual(ORDERS)
    expect(
      inOrder(lines.toSorted((a, b) => deliveredAt(a) - deliveredAt(b)))
        .slice(-2)
        .toSorted()
    ).toEqual(['1001', '2002'])
  })

  it('does every step once, wherever it is killed, and goes on in the next run', async () => {
    const data = ['--data', directory]
    let runs = 0
    for (const afterMs of [100, 50, 0]) {
      const ending: Ending = { signal: 'SIGKILL', isTime: (line) => line.startsWith('order 8008'), afterMs }
      runs += await runsUntilEnded(MAIN, data, ending)
    }
    for (const _ of ['after a kill', 'after an end']) {
      const { lines, end } = await run(data)
      expect({ end, orders: inOrder(lines).toSorted() }).toEqual({ end: 0, orders: ORDERS })
      runs++
    }
    expect(await stepsDone()).toEqual(ORDERS.map((order) => [order, runs * STEPS.length]))
  }, 120_000)

  it('ends in order with Ctrl-C', async () => {
    const ending: Ending = { signal: 'SIGINT', isTime: (line) => line.startsWith('order') }
    const { lines, end } = await run([], ending)
    expect({ end, last: lines.at(-1) }).toEqual({ end: 0, last: 'interrupted: ended in order' })
  })
})
