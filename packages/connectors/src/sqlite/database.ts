import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { TargetTable } from '../sql/target-table.ts'
import { readTable } from './catalog.ts'
import type { SqliteValue } from './values.ts'

/** Which database, and how. */
export interface SqliteDatabaseOptions {
  readonly file: string
  readonly synchronous?: 'full' | 'normal' | undefined
  readonly busyTimeoutMs?: number | undefined
}

/** A row that a query found. */
export type SqliteRow = Readonly<Record<string, SqliteValue>>

const DEFAULT_BUSY_TIMEOUT_MS = 5000
/** Negative: KiB instead of pages. */
const CACHE_KIB = -65_536
const CHECKPOINT_PAGES = 16_384

/** A connection with its prepared statements. Everything it does blocks its thread. */
export class SqliteDatabase {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor({ file, synchronous = 'full', busyTimeoutMs = DEFAULT_BUSY_TIMEOUT_MS }: SqliteDatabaseOptions) {
    const sqlite = process.getBuiltinModule('node:sqlite')
    this.#database = new sqlite.DatabaseSync(file, { timeout: busyTimeoutMs })
    this.#database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; PRAGMA cache_size = ${CACHE_KIB}`
    )
    // A batch of keys from everywhere changes most pages: each checkpoint less writes them all once less.
    this.#database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
  }

  execute(sql: string): void {
    this.#database.exec(sql)
  }

  /** Runs a statement. @returns how many rows it changed. */
  change(sql: string, values: readonly SqliteValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes)
  }

  /** Runs a statement again and again, each time with the next `perRun` values. */
  write(sql: string, values: readonly SqliteValue[], perRun: number): void {
    const statement = this.#prepared(sql)
    for (let at = 0; at < values.length; at += perRun) statement.run(...values.slice(at, at + perRun))
  }

  query(sql: string, values: readonly SqliteValue[]): readonly SqliteRow[] {
    return this.#prepared(sql)
      .all(...values)
      .map((row) => ({ ...row }))
  }

  /** The table as the catalog has it; undefined when there is none. */
  table(table: string): TargetTable | undefined {
    return readTable(this.#database, table)
  }

  /** Ends the transaction if there is one: some errors have ended it already. */
  rollBack(): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    this.#statements.clear()
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#database.prepare(sql)
    // Or a row id that no number can hold fails the statement that wrote it.
    statement.setReadBigInts(true)
    this.#statements.set(sql, statement)
    return statement
  }
}
