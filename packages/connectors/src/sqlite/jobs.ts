import type { TargetTable } from '../sql/target-table.ts'
import { SqliteDatabase, type SqliteDatabaseOptions, type SqliteRow } from './database.ts'
import type { SqliteValue } from './values.ts'

/** What the thread of a database is asked to do. Plain data: it is copied from one thread to the other. */
export type Job =
  | { readonly kind: 'open'; readonly options: SqliteDatabaseOptions }
  | { readonly kind: 'close' | 'roll-back' }
  | { readonly kind: 'execute'; readonly sql: string }
  | { readonly kind: 'query'; readonly sql: string; readonly values: readonly SqliteValue[] }
  | { readonly kind: 'table'; readonly table: string }
  | ChangeJob
  | WriteJob

/** A statement that must change a row, else the jobs behind it are not done. */
export interface ChangeJob {
  readonly kind: 'change'
  readonly sql: string
  readonly values: readonly SqliteValue[]
}

/** Runs a statement again and again, each time with the next `perRun` values. */
export interface WriteJob {
  readonly kind: 'write'
  readonly sql: string
  readonly values: readonly SqliteValue[]
  readonly perRun: number
}

/** What came of jobs. */
export type JobsAnswer =
  | {
      readonly kind: 'done'
      /** What the queries found, in order. */
      readonly rows: readonly SqliteRow[]
      /** The tables that were asked for; those that are not there are left out. */
      readonly tables: readonly TargetTable[]
    }
  /** A `change` found no row. */
  | { readonly kind: 'unchanged' }
  /** An error, in words: a copy of it would lose SQLite's result code. */
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly name: string
      readonly resultCode: number | undefined
    }

/** Does jobs of one database, one after the other, up to the first that fails. */
export class JobRunner {
  #database: SqliteDatabase | undefined

  run(jobs: readonly Job[]): JobsAnswer {
    const rows: SqliteRow[] = []
    const tables: TargetTable[] = []
    try {
      for (const job of jobs) {
        if (job.kind === 'open') this.#database = new SqliteDatabase(job.options)
        const database = this.#database
        if (database === undefined) continue
        if (job.kind === 'close') this.#close(database)
        else if (job.kind === 'query') rows.push(...database.query(job.sql, job.values))
        else if (job.kind === 'table') tables.push(...tableIn(database, job.table))
        else if (job.kind !== 'change') apply(database, job)
        else if (database.change(job.sql, job.values) === 0) return { kind: 'unchanged' }
      }
      return { kind: 'done', rows, tables }
    } catch (error) {
      return failure(error)
    }
  }

  #close(database: SqliteDatabase): void {
    this.#database = undefined
    database.close()
  }
}

function tableIn(database: SqliteDatabase, name: string): readonly TargetTable[] {
  const table = database.table(name)
  return table === undefined ? [] : [table]
}

function apply(
  database: SqliteDatabase,
  job: Exclude<Job, { readonly kind: 'query' | 'table' | 'change' | 'close' }>
): void {
  if (job.kind === 'execute') database.execute(job.sql)
  else if (job.kind === 'write') database.write(job.sql, job.values, job.perRun)
  else if (job.kind === 'roll-back') database.rollBack()
}

function failure(error: unknown): JobsAnswer {
  const { message, name } = error instanceof Error ? error : { message: String(error), name: typeof error }
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return { kind: 'failed', message, name, resultCode: typeof code === 'number' ? code : undefined }
}
