/** `npm run example -- 02 [--data DIRECTORY]` */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@millrace/log'
import type { QueryableStore, StreamsApp } from '@millrace/streams'
import { example } from '../example.ts'
import { onLog, whileRunning } from '../on-log.ts'
import { type OrderHistory, type OrderStep, ordersInOrder, STEPS } from './topology.ts'

const USAGE = `Eight orders, five steps each: those of one order are done one after another, those of different orders at once.

  npm run example -- 02 [options]

  --data DIR    keep the log in this directory; the next run goes on with it    (in memory)
`
/** 1001 and 2002 have a slow payment; they are on one partition with 3003 and 4004, which have not. */
const ORDERS = ['1001', '2002', '3003', '4004', '5005', '6006', '7007', '8008']
const SLOW = { orders: ['1001', '2002'], step: 'paid', takesMs: 600 }
const QUICK_MS = 40
const LOOK_AGAIN_MS = 50

await example(USAGE, { data: { type: 'string' } }, ({ data }, interrupted) =>
  onLog(data, (log) =>
    whileRunning(ordersInOrder, { log, interrupted, createTopics: { partitions: 3 } }, (app) => round(log, app))
  )
)

/** All orders come at once, each with all of its steps: only the work takes time. */
async function round(log: Log, app: StreamsApp): Promise<void> {
  const producer = log.producer({ transactionalId: 'order-desk' })
  // Ends what a desk that was killed has left open.
  await producer.initTransactions()
  await finishWhatIsLeft(app)
  const histories = app.store<string, OrderHistory>('order-history')
  const before = new Map<string, number>()
  for await (const { key, value } of histories.all()) before.set(key, value?.done.length ?? 0)

  const startedAtMs = log.environment.clock.nowMs()
  const unfinished = new Set(ORDERS)
  const finished = new Promise<void>((resolve) => {
    histories.changes$.subscribe(({ key, value }) => {
      if (value === undefined || value.done.length < (before.get(key) ?? 0) + STEPS.length) return
      if (!unfinished.delete(key)) return
      const times = value.done
        .slice(-STEPS.length)
        .map(({ step, doneAtMs }) => `${step} ${((doneAtMs - startedAtMs) / 1000).toFixed(2)} s`)
      console.log(`order ${key}  ${value.outOfOrder === 0 ? 'in order     ' : 'OUT OF ORDER '}  ${times.join('  ')}`)
      if (value.outOfOrder !== 0) process.exitCode = 1
      if (unfinished.size === 0) resolve()
    })
  })

  // All of them or none, so that no order is left with some of its steps when the program is killed.
  producer.beginTransaction()
  for (const step of STEPS) {
    for (const order of ORDERS) {
      const slow = SLOW.orders.includes(order) && SLOW.step === step
      const todo: OrderStep = { step, takesMs: slow ? SLOW.takesMs : QUICK_MS }
      // Not awaited one by one: the commit waits for all of them, and fails if one did.
      void producer
        .send({ topic: 'order-steps', key: Buffer.from(order), value: Buffer.from(JSON.stringify(todo)) })
        .catch(() => undefined)
    }
  }
  await producer.commitTransaction()
  await producer.close()
  await finished
  console.log(`\n1001 and 2002 waited for their payment; nobody waited for them.`)
}

/** Orders of a run that was ended in the middle: their queues are in the store. */
async function finishWhatIsLeft(app: StreamsApp): Promise<void> {
  await app.caughtUp()
  for (let told = false; !(await isEmpty(app.store('order-queues'))); told = true) {
    if (!told) console.log('The run before this one was ended in the middle: its orders are finished first.\n')
    await sleep(LOOK_AGAIN_MS)
  }
}

async function isEmpty(store: QueryableStore<unknown, unknown>): Promise<boolean> {
  for await (const _ of store.all()) return false
  return true
}
