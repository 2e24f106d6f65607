/** `npm run example -- 02 [--data DIRECTORY]` */
import { parseArgs } from 'node:util'
import { openLog } from '@millrace/log'
import { runStreams } from '@millrace/streams'
import { type OrderHistory, type OrderStep, ordersInOrder, STEPS } from './topology.ts'

/** 1001 and 2002 have a slow payment; they are on one partition with 3003 and 4004, which have not. */
const ORDERS = ['1001', '2002', '3003', '4004', '5005', '6006', '7007', '8008']
const SLOW = { orders: ['1001', '2002'], step: 'paid', takesMs: 600 }
const QUICK_MS = 40

const { values } = parseArgs({ options: { data: { type: 'string' } } })
const log = await openLog(values.data === undefined ? 'memory:' : `file:${values.data}`)
const app = await runStreams(ordersInOrder, { log, createTopics: { partitions: 3 } })
await app.running

const histories = app.store<string, OrderHistory>('order-history')
const before = new Map<string, number>()
for await (const { key, value } of histories.all()) before.set(key, value?.done.length ?? 0)

// All steps of all orders come at once, each order's in order: only the work takes time.
const startedAtMs = log.environment.clock.nowMs()
const producer = log.producer()
for (const step of STEPS) {
  for (const order of ORDERS) {
    const slow = SLOW.orders.includes(order) && SLOW.step === step
    const todo: OrderStep = { step, takesMs: slow ? SLOW.takesMs : QUICK_MS }
    producer.send({ topic: 'order-steps', key: Buffer.from(order), value: Buffer.from(JSON.stringify(todo)) })
  }
}
await producer.flush()
await producer.close()

const unfinished = new Set(ORDERS)
await new Promise<void>((resolve, reject) => {
  app.done.catch(reject)
  const look = ({ key, value }: { readonly key: string; readonly value: OrderHistory | undefined }) => {
    if ((value?.done.length ?? 0) < (before.get(key) ?? 0) + STEPS.length || !unfinished.delete(key)) return
    const done = value?.done.slice(-STEPS.length) ?? []
    const times = done.map(({ step, doneAtMs }) => `${step} ${((doneAtMs - startedAtMs) / 1000).toFixed(2)} s`)
    console.log(`order ${key}  ${value?.outOfOrder === 0 ? 'in order     ' : 'OUT OF ORDER '}  ${times.join('  ')}`)
    if (value?.outOfOrder !== 0) process.exitCode = 1
    if (unfinished.size === 0) resolve()
  }
  histories.changes$.subscribe(look)
})
console.log(`\n1001 and 2002 waited for their payment; nobody waited for them.`)

await app.close()
await log.close()
