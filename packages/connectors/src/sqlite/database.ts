import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { UsageError } from '@millrace/log'
import type { TargetTable } from '../sql/target-table.ts'
import { readTable } from './catalog.ts'

/** Which database, and how. */
export interface SqliteDatabaseOptions {
  readonly file: string
  readonly synchronous?: 'full' | 'normal'
  readonly busyTimeoutMs?: number
}

const DEFAULT_BUSY_TIMEOUT_MS = 5000
/** Negative: KiB instead of pages. */
const CACHE_KIB = -65_536
const CHECKPOINT_PAGES = 16_384

/** A connection with its prepared statements and what it knows of the tables. */
export class SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #tables = new Map<string, TargetTable | undefined>()

  constructor({ file, synchronous = 'full', busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS }: SqliteDatabaseOptions) {
    const sqlite = process.getBuiltinModule('node:sqlite')
    if (sqlite === undefined) {
      throw new UsageError('this Node has no node:sqlite, which the SQLite sink needs: use Node 24 or newer')
    }
    this.#database = new sqlite.DatabaseSync(file, { timeout: busyTimeoutMs })
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = ${CACHE_KIB}`
    )
    // A batch of keys from everywhere changes most pages: each checkpoint less writes them all once less.
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    // Or a row id that no number can hold fails the statement that wrote it.
    statement.setReadBigInts(true)
    this.#statements.set(sql, statement)
    return statement
  }

  /** The table as the catalog has it; undefined when there is none. */
  table(table: string): TargetTable | undefined {
    if (!this.#tables.has(table)) this.#tables.set(table, readTable(this.#database, table))
    return this.#tables.get(table)
  }

  /** To be called when tables have changed. */
  forget(): void {
    this.#tables.clear()
    this.#statements.clear()
  }

  /** Runs all of it or nothing. */
  transaction<T>(run: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = run()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      // Some errors have rolled back already; and what was learnt of the tables may be no more.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      this.forget()
      throw error
    }
  }

  close(): void {
    this.forget()
    this.#database.close()
  }
}
