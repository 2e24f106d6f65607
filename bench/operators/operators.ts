import { type Benchmark, WrongResultError } from '../benchmark.ts'
import { AGGREGATIONS } from './aggregations.ts'
import { JOINS } from './joins.ts'
import { runOperator } from './operator-run.ts'
import { STATELESS } from './stateless.ts'
import { WINDOWS } from './windows.ts'

const CASES = [...STATELESS, ...AGGREGATIONS, ...WINDOWS, ...JOINS]

/** Operators of every kind on the embedded log, on disk, synced, exactly once; input already in the log; commit 100 ms. */
export const operators: Benchmark = {
  name: 'operators',
  what: 'operators, embedded log on disk, fsync, exactly once, commit 100 ms, one thread',
  budget: 150_000,
  rows: CASES,
  run: (row) => {
    const found = CASES.find(({ name }) => name === row)
    if (found === undefined) throw new WrongResultError(`there is no row ${row}`)
    return runOperator(found)
  }
}
