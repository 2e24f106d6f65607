import { type Benchmark, type BenchmarkResult, WrongResultError } from '../benchmark.ts'
import { changeToView } from './change-to-view.ts'
import { plainUpserts, postgresUpserts, sqliteUpserts } from './sinks.ts'
import { plainSelect, snapshot, streaming } from './sources.ts'

interface Row {
  readonly name: string
  readonly budget: number
  readonly run: () => Promise<BenchmarkResult>
}

/** Each beside what a plain program does with `pg`, which keeps nothing and handles no repeat. */
const ROWS: readonly Row[] = [
  { name: 'snapshot', budget: 200_000, run: snapshot },
  { name: 'plain-select', budget: 200_000, run: plainSelect },
  { name: 'streaming', budget: 50_000, run: streaming },
  { name: 'postgres-sink', budget: 100_000, run: () => postgresUpserts() },
  { name: 'plain-upserts', budget: 100_000, run: () => plainUpserts() },
  { name: 'sqlite-sink', budget: 300_000, run: () => sqliteUpserts() },
  { name: 'change-to-view', budget: 1000, run: changeToView }
]

/** PostgreSQL into the log and out of it, exactly once, on a log on disk; the results compared with what the database says. */
export const connectors: Benchmark = {
  name: 'connectors',
  what: 'PostgreSQL and SQLite, log on disk, fsync, exactly once (the test server itself without fsync)',
  budget: 100_000,
  rows: ROWS,
  run: async (name) => {
    const row = ROWS.find((one) => one.name === name)
    if (row === undefined) throw new WrongResultError(`there is no row ${name}`)
    return row.run()
  }
}
