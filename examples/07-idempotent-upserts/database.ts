import { DatabaseSync } from 'node:sqlite'
import { orderChange } from './order-changes.ts'

/** The tables that the sinks write, each with a trigger that counts what is written again or out of order. */
export const TABLES = ['orders', 'orders_by_hand'] as const

/** What is in a table. */
export interface TableFigures {
  readonly rows: number
  /** Changes that got here: one more than the number of the newest. */
  readonly changes: number
  /** Rows to which a change was written that was not newer than the one they had. */
  readonly repeats: number
}

/** The database, as somebody sees it who knows nothing of logs. */
export class ShopDatabase {
  readonly #database: DatabaseSync

  constructor(file: string) {
    this.#database = new DatabaseSync(file, { timeout: 5_000 })
    this.#database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS repeats (of_table TEXT)')
    for (const table of TABLES) {
      this.#database.exec(`
        CREATE TABLE IF NOT EXISTS ${table} ("order" TEXT PRIMARY KEY, change INTEGER, status TEXT, cents INTEGER);
        CREATE TRIGGER IF NOT EXISTS ${table}_repeated AFTER UPDATE ON ${table} WHEN new.change <= old.change
        BEGIN INSERT INTO repeats VALUES ('${table}'); END`)
    }
  }

  figures(table: (typeof TABLES)[number]): TableFigures {
    const row = this.#database
      .prepare(
        `SELECT (SELECT count(*) FROM ${table}) AS rows,
                (SELECT coalesce(max(change) + 1, 0) FROM ${table}) AS changes,
                (SELECT count(*) FROM repeats WHERE of_table = ?) AS repeats`
      )
      .get(table)
    return { rows: Number(row?.rows), changes: Number(row?.changes), repeats: Number(row?.repeats) }
  }

  /** Orders that are not as the last of their changes left them. */
  wrongOrders(table: (typeof TABLES)[number], changes: number): string[] {
    const last = new Map<string, string>()
    for (let n = 0; n < changes; n++) {
      const { order, value } = orderChange(n)
      last.set(order, `${value.change} ${value.status} ${value.cents}`)
    }
    const found = new Map<string, string>()
    for (const row of this.#database.prepare(`SELECT * FROM ${table}`).all()) {
      found.set(String(row.order), `${row.change} ${row.status} ${row.cents}`)
    }
    return [...new Set([...last.keys(), ...found.keys()])].filter((order) => last.get(order) !== found.get(order))
  }

  close(): void {
    this.#database.close()
  }
}
