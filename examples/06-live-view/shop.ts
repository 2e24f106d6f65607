import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import type { CityTotal } from './topology.ts'

/** The tables, and some customers who were there before anybody looked. */
export const TABLES = `
  CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, city text NOT NULL);
  CREATE TABLE orders (id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customers, cents int NOT NULL);
  INSERT INTO customers SELECT n, 'customer ' || n, (ARRAY['Berlin', 'Lagos', 'Lima', 'Osaka', 'Oslo', 'Quito'])[1 + n % 6]
    FROM generate_series(1, 300) n;
  INSERT INTO orders SELECT n, 1 + n * 7 % 300, 100 + n * 37 % 9000 FROM generate_series(1, 2000) n`

const CUSTOMERS = 300

/** How busy the shop is. */
export interface Business {
  /** Transactions, if it is to come to an end. */
  readonly transactions: number | undefined
  readonly perSecond: number
}

/** Does the shop's business, a transaction after the other; `done` is told of each. */
export async function doBusiness(
  client: pg.Client,
  { transactions, perSecond }: Business,
  { closing, done }: { readonly closing: AbortSignal; readonly done: () => void }
): Promise<void> {
  const random = seeded(6)
  const beganMs = performance.now()
  for (let n = 0; n < (transactions ?? Number.POSITIVE_INFINITY) && !closing.aborted; n++) {
    await client.query(`BEGIN; ${transaction(n, random)}; COMMIT`)
    done()
    await sleep(Math.max(0, beganMs + ((n + 1) * 1000) / perSecond - performance.now()))
  }
}

/** Orders come and are cancelled, customers move and take their orders with them, and once in a while all starts anew. */
function transaction(n: number, random: (below: number) => number): string {
  const customer = 1 + random(CUSTOMERS)
  const kind = random(100)
  if (kind < 60) {
    const id = 10_000 + n * 2
    return `INSERT INTO orders VALUES (${id}, ${customer}, ${100 + random(9_000)}), (${id + 1}, ${customer}, ${100 + random(9_000)})`
  }
  if (kind < 75) return `UPDATE orders SET cents = cents + 100 WHERE customer_id = ${customer}`
  if (kind < 85) return `DELETE FROM orders WHERE customer_id = ${customer}`
  if (kind < 95)
    return `UPDATE customers SET city = (SELECT city FROM customers WHERE id = ${1 + random(CUSTOMERS)}) WHERE id = ${customer}`
  return `UPDATE orders SET id = id + 1000000 * (1 + id / 1000000) WHERE customer_id = ${customer} AND id < 1000000000`
}

/** The question that the view has the answer to, asked of the database itself. */
export async function askDatabase(client: pg.Client): Promise<ReadonlyMap<string, CityTotal>> {
  const { rows } = await client.query<{ city: string; orders: number; cents: number }>(
    `SELECT city, count(*)::int AS orders, sum(cents)::int AS cents
     FROM orders JOIN customers ON customer_id = customers.id GROUP BY city ORDER BY city`
  )
  return new Map(rows.map(({ city, orders, cents }) => [city, { orders, cents }]))
}

function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * below)
  }
}
