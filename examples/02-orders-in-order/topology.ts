import { defineTopology, json, string } from '@millrace/streams'

/** What happens to an order, in this order. */
export const STEPS = ['placed', 'paid', 'packed', 'shipped', 'delivered'] as const

/** One thing to be done for an order. */
export interface OrderStep {
  readonly step: string
  /** How long it takes to do it. */
  readonly takesMs: number
}

/** A step that was done. */
export interface DoneStep {
  readonly step: string
  readonly doneAtMs: number
}

/** What waits for an order: its first step is under way until `untilMs`. */
interface Queue {
  readonly untilMs: number
  readonly steps: readonly OrderStep[]
}

/** All that was done for an order. */
export interface OrderHistory {
  readonly done: readonly DoneStep[]
  /** Steps that did not come after the one before them. */
  readonly outOfOrder: number
}

/**
 * Does the steps of every order one after another, each taking its time, and the steps of different orders at the same time. What waits is in
 * a store, so no order holds up the others of its partition, and nothing that waits is lost.
 */
export const ordersInOrder = defineTopology('orders-in-order', (b) => {
  const queues = b.store('order-queues', { key: string(), value: json<Queue>() })
  b.stream('order-steps', { key: string(), value: json<OrderStep>() })
    .process(
      {
        make: (context) => {
          const waiting = context.store('order-queues')
          context.schedule('10ms', 'wall-clock', async (nowMs) => {
            for await (const [key, queue] of waiting.all()) {
              const left = doneBy(nowMs, queue, (done) => context.forward(key, done, done.doneAtMs))
              if (left === undefined) waiting.delete(key)
              else if (left !== queue) waiting.put(key, left)
            }
          })
          return {
            process({ key, value }) {
              const queue = waiting.get(key)
              const untilMs = queue?.untilMs ?? context.nowMs + value.takesMs
              waiting.put(key, { untilMs, steps: [...(queue?.steps ?? []), value] })
            }
          }
        }
      },
      { stores: [queues], key: string(), value: json<DoneStep>(), keepsPartition: true }
    )
    .groupByKey()
    .aggregate(() => ({ done: [], outOfOrder: 0 }), remember, { value: json<OrderHistory>(), store: 'order-history' })
    .toStream()
    .to('order-histories')
})

/** Hands on what is done by then; returns what is left of the queue, undefined when nothing is. */
function doneBy(nowMs: number, queue: Queue, onDone: (done: DoneStep) => void): Queue | undefined {
  let { untilMs } = queue
  let first = 0
  while (first < queue.steps.length && untilMs <= nowMs) {
    onDone({ step: queue.steps[first].step, doneAtMs: untilMs })
    untilMs += queue.steps[++first]?.takesMs ?? 0
  }
  if (first === 0) return queue
  return first < queue.steps.length ? { untilMs, steps: queue.steps.slice(first) } : undefined
}

/** An order may be placed again once it was delivered. */
function remember(step: DoneStep, { done, outOfOrder }: OrderHistory): OrderHistory {
  const isNext = step.step === STEPS[done.length % STEPS.length]
  return { done: [...done, step], outOfOrder: outOfOrder + (isNext ? 0 : 1) }
}
