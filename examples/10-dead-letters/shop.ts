import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Connector, deadLetter, jsonRows } from '@millrace/connectors'
import { sqliteSink } from '@millrace/connectors/sqlite'

/** The connector's name, by which its dead letters are listed and replayed. */
export const CONNECTOR = 'shop'
/** Where the orders come from. */
export const ORDERS_TOPIC = 'orders'

const databaseFile = (directory: string) => join(directory, 'shop.db')

/** Writes orders as rows. What the database refuses goes to a topic of dead letters, and the orders behind it go on. */
export function shopConnector(directory: string): Connector {
  return {
    sink: sqliteSink({ name: CONNECTOR, file: databaseFile(directory), rows: jsonRows({ key: 'nr' }) }),
    topics: [ORDERS_TOPIC],
    onError: deadLetter('orders-dlq')
  }
}

/** The shop's database: it takes no order for a product that it does not know. */
export class ShopDatabase {
  readonly #database: DatabaseSync

  constructor(directory: string) {
    this.#database = new DatabaseSync(databaseFile(directory), { timeout: 5_000 })
    this.#database.exec(`
      PRAGMA journal_mode = WAL;
      CREATE TABLE IF NOT EXISTS products (name TEXT PRIMARY KEY);
      INSERT OR IGNORE INTO products VALUES ('socks'), ('shoes'), ('raincoat');
      CREATE TABLE IF NOT EXISTS orders (
        nr TEXT PRIMARY KEY, product TEXT NOT NULL REFERENCES products (name), quantity INTEGER NOT NULL)`)
  }

  addProduct(name: string): void {
    this.#database.prepare('INSERT OR IGNORE INTO products VALUES (?)').run(name)
  }

  /** Orders that have a row, by number. */
  orders(): ReadonlyMap<string, string> {
    const rows = this.#database.prepare('SELECT * FROM orders ORDER BY nr').all()
    return new Map(rows.map(({ nr, product, quantity }) => [String(nr), `${quantity} × ${product}`]))
  }

  close(): void {
    this.#database.close()
  }
}
