import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'

/** Name of the source and the schema. */
export const SOURCE = 'example_outbox'

/** The shop's own tables, and the one into which it writes what others are to hear of. */
export const TABLES = `
  CREATE TABLE customers (id text PRIMARY KEY, orders int NOT NULL);
  CREATE TABLE orders (id text PRIMARY KEY, customer_id text NOT NULL REFERENCES customers, step int NOT NULL);
  CREATE TABLE outbox (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    aggregatetype text NOT NULL, aggregateid text NOT NULL, type text NOT NULL, payload jsonb NOT NULL);
  INSERT INTO customers VALUES ('ada', 0), ('grace', 0), ('linus', 0)`

const CUSTOMERS = ['ada', 'grace', 'linus'] as const
/** What happens to an order, in this order. */
const ORDER_EVENTS = ['OrderPlaced', 'OrderPaid', 'OrderShipped'] as const

/** What an event says: the how many-th it is of its order, or of its customer. */
export interface ShopEvent {
  readonly nr: number
}

/** How busy the shop is, and who is told. */
export interface Business {
  readonly orders: number
  readonly perSecond: number
  readonly closing: AbortSignal
  readonly onTransaction: (outcome: 'committed' | 'rolled back') => void
}

/**
 * Takes orders through their steps. A step changes the shop's tables and tells of it, in one transaction. Every sixth fails at its end, after it has written
 * both: nobody must ever hear of it. It is done again then.
 */
export async function doBusiness(
  client: pg.Client,
  { orders, perSecond, closing, onTransaction }: Business
): Promise<void> {
  let transactions = 0
  for (let step = 1; step <= ORDER_EVENTS.length; step++) {
    for (let n = 0; n < orders; ) {
      if (closing.aborted) return
      const fails = ++transactions % 6 === 0
      await client.query('BEGIN')
      await takeStep(client, `order-${n + 1}`, { customer: CUSTOMERS[n % CUSTOMERS.length], step })
      await client.query(fails ? 'ROLLBACK' : 'COMMIT')
      onTransaction(fails ? 'rolled back' : 'committed')
      if (!fails) n++
      await sleep(1000 / perSecond)
    }
  }
}

async function takeStep(
  client: pg.Client,
  order: string,
  { customer, step }: { customer: string; step: number }
): Promise<void> {
  if (step === 1) {
    await client.query('INSERT INTO orders VALUES ($1, $2, 1)', [order, customer])
    const { rows } = await client.query('UPDATE customers SET orders = orders + 1 WHERE id = $1 RETURNING orders', [
      customer
    ])
    await tell(client, ['customer', customer, 'CustomerOrdered'], { nr: rows[0].orders })
  } else {
    await client.query('UPDATE orders SET step = $2 WHERE id = $1', [order, step])
  }
  await tell(client, ['order', order, ORDER_EVENTS[step - 1]], { nr: step })
}

/** The row may go at once: the connector reads the database's log, not the table. */
async function tell(
  client: pg.Client,
  event: readonly [aggregate: string, id: string, type: string],
  payload: ShopEvent
) {
  const { rows } = await client.query(
    'INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ($1, $2, $3, $4) RETURNING id',
    [...event, JSON.stringify(payload)]
  )
  await client.query('DELETE FROM outbox WHERE id = $1', [rows[0].id])
}

/** How many events of each aggregate the shop's tables call for. */
export async function eventsInTables(client: pg.Client): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ id: string; events: number }>(
    `SELECT 'order ' || id AS id, step AS events FROM orders
     UNION ALL SELECT 'customer ' || id, orders FROM customers WHERE orders > 0`
  )
  return new Map(rows.map(({ id, events }) => [id, events]))
}
