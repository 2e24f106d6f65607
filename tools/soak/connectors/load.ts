import pg from 'pg'
import { kindsUpdate, kindsUpsert } from './kinds.ts'
import type { Random } from './random.ts'

const RECONNECT_MS = 50
const PAUSE_MS = 15
/** A transaction may fail for these reasons, and the next one goes on: locks, keys that are there already, a server that is away. */
const EXPECTED = /^(40|23|57|08|55P03|25|XX000)|^E[A-Z]+$/
/** Errors of the driver about a lost connection have no code. */
const LOST = /Connection terminated|not queryable|closed the connection|connection error|timeout expired/

/** Random transactions over all tables, one after the other, until it is stopped; through restarts of the server. */
export class Load {
  readonly #url: string
  readonly #random: Random
  #client: pg.Client | undefined
  #stopped = false
  #running: Promise<void> | undefined
  committed = 0

  constructor(url: string, random: Random) {
    this.#url = url
    this.#random = random
  }

  start(): void {
    this.#stopped = false
    this.#running = this.#run()
    this.#running.catch(() => undefined)
  }

  /** @throws what the database refused that it should not have. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    await this.#client?.end().catch(() => undefined)
    this.#client = undefined
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      if (await this.transaction(this.#statements())) this.committed++
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }

  /** Runs the statements in one transaction; false when it was rolled back, or nobody knows. */
  async transaction(statements: readonly string[]): Promise<boolean> {
    try {
      const client = await this.#connected()
      await client.query('begin')
      for (const statement of statements) await client.query(statement)
      await client.query(this.#random.oneIn(10) ? 'rollback' : 'commit')
      return true
    } catch (error) {
      await this.#failed(error)
      return false
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { code, message } = error as { code?: unknown; message: string }
    if (!(typeof code === 'string' ? EXPECTED.test(code) : LOST.test(message))) throw error
    try {
      await this.#client?.query('rollback')
    } catch {
      await this.#client?.end().catch(() => undefined)
      this.#client = undefined
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS))
    }
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const client = new pg.Client({ connectionString: this.#url, options: '-c lock_timeout=2000' })
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    await client.connect()
    this.#client = client
    return client
  }

  #statements(): string[] {
    const random = this.#random
    const statements = Array.from({ length: 1 + random.below(6) }, () => this.#statement())
    if (random.oneIn(8)) statements.splice(1, 0, 'savepoint s', ...[this.#statement()], 'rollback to savepoint s')
    return statements
  }

  #statement(): string {
    const kind = this.#random.below(100)
    if (kind < 25) return this.#ofCustomers()
    if (kind < 55) return this.#ofOrders()
    if (kind < 80) return this.#ofItems()
    return this.#ofKinds()
  }

  #ofCustomers(): string {
    const random = this.#random
    const id = random.below(160)
    const region = random.oneIn(9) ? 'null' : `'region ${random.below(9)}'`
    const kind = random.below(10)
    if (kind < 3) {
      const note = random.oneIn(2) ? `repeat('note ${random.below(99)}', 1500)` : "'short'"
      return `insert into customers (id, name, region, note, profile) values (${id}, 'name ${random.below(999)}', ${region}, ${note},
        '{"level": ${random.below(9)}}') on conflict (id) do update set region = excluded.region, profile = excluded.profile`
    }
    if (kind < 6) return `update customers set region = ${region} where id = ${id}`
    if (kind < 7)
      return `update customers set name = name || '.' where id between ${id} and ${id + 5} and length(name) < 60`
    if (kind < 9) return movedKey('customers', 'id', id, 1000)
    return `delete from customers where id = ${id}`
  }

  #ofOrders(): string {
    const random = this.#random
    const id = random.below(1000)
    const kind = random.below(24)
    if (kind < 7) {
      const memo = random.oneIn(3) ? `repeat('memo ${random.below(99)}', 1500)` : `'memo ${random.below(99)}'`
      return `insert into orders select ${id} + i, ${random.below(170)}, ${random.below(10_000)} + i, 'new', ${memo} from generate_series(0, ${random.below(6)}) i
        on conflict (id) do update set amount = excluded.amount, memo = case when excluded.amount % 2 = 0 then excluded.memo else orders.memo end`
    }
    if (kind < 12) return `update orders set status = 'paid', amount = amount + 1 where id between ${id} and ${id + 8}`
    if (kind < 15) return `update orders set customer = ${random.below(170)} where id between ${id} and ${id + 2}`
    if (kind < 18) return movedKey('orders', 'id', id, 100_000)
    if (kind < 23) return `delete from orders where id between ${id} and ${id + 3}`
    return random.oneIn(30) ? 'truncate orders' : `update orders set memo = null where id = ${id}`
  }

  #ofItems(): string {
    const random = this.#random
    const id = random.below(1000)
    const kind = random.below(20)
    if (kind < 8) {
      return `insert into items select ${id}, i, ${random.below(9)}, ${random.below(99)} from generate_series(0, ${random.below(12)}) i
        on conflict (id, line) do update set quantity = excluded.quantity`
    }
    if (kind < 13) return `update items set price = price + 1 where id = ${id}`
    if (kind < 16) return `update items set line = line + 50 where id = ${id} and line < 50`
    if (kind < 19) return `delete from items where id = ${id}`
    return random.oneIn(40) ? 'truncate items, orders' : `delete from items where id = ${id} and line % 2 = 0`
  }

  #ofKinds(): string {
    const random = this.#random
    const kind = random.below(20)
    if (kind < 10) return kindsUpsert(random)
    if (kind < 14) return kindsUpdate(random)
    if (kind < 16) return movedKey('kinds', 'id', random.below(60), 100)
    if (kind < 19) return `delete from kinds where id = ${random.below(60)}`
    return 'truncate kinds'
  }
}

/** Gives a row another key and, as it may have it already, the old one back. */
function movedKey(table: string, column: string, id: number, by: number): string {
  return `update ${table} set ${column} = case when ${column} >= ${by} then ${column} - ${by} else ${column} + ${by} end
    where ${column} in (${id}, ${id + by}) and (select count(*) from ${table} where ${column} in (${id}, ${id + by})) = 1`
}

/** A transaction of a hundred thousand rows, all of them of orders that there may be. */
export function largeTransaction(rows: number): string[] {
  return [
    `insert into items select i % 1000, 1000 + i / 1000, i % 9, i % 89 from generate_series(0, ${rows - 1}) i on conflict do nothing`
  ]
}

/** What becomes of the columns of `customers`, each as a migration does it: the rows that it concerns are written. */
export const SCHEMA_CHANGES: readonly (readonly string[])[] = [
  ['alter table customers add column vip boolean', 'update customers set vip = id % 2 = 0'],
  ["alter table customers add column tier text default 'basic'", 'update customers set tier = tier'],
  ['alter table customers rename column alias to handle', 'update customers set handle = handle'],
  ['alter table customers drop column vip'],
  ['alter table customers alter column name type varchar(80)', 'update customers set name = name']
]

/** Empties two tables that are joined, and fills one of them again. */
export const TRUNCATION: readonly string[] = [
  'truncate orders, items',
  "insert into orders select i, i % 170, i, 'sent', null from generate_series(0, 499) i",
  'insert into items select i % 600, i / 600, 1, i % 31 from generate_series(0, 1999) i'
]
