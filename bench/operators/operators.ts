import type { Benchmark } from '../benchmark.ts'
import { AGGREGATIONS } from './aggregations.ts'
import { JOINS } from './joins.ts'
import { runOperator } from './operator-run.ts'

/** Every stateful operator on the embedded log, on disk, synced, exactly once; input already in the log; commit 100 ms. */
export const operators: Benchmark = {
  name: 'operators',
  what: 'stateful operators, embedded log on disk, fsync, exactly once, commit 100 ms, one thread',
  budget: 150_000,
  run: async () => {
    const results = []
    for (const operator of [...AGGREGATIONS, ...JOINS]) results.push(await runOperator(operator))
    return results
  }
}
