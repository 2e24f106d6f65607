/**
 * `npm run bench -- [NAME…] [--json]`: every benchmark in a process of its own, its result checked against an oracle. A readable table, or one
 * JSON line each.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { Benchmark, BenchmarkResult } from './benchmark.ts'
import { clicks } from './clicks.ts'
import { codec } from './codec.ts'
import { compaction } from './compaction.ts'
import { operators } from './operators/operators.ts'
import { consume, produce } from './produce-consume.ts'
import { restore } from './restore.ts'

const BENCHMARKS: readonly Benchmark[] = [codec, produce, consume, clicks, restore, compaction, operators]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean' }, here: { type: 'boolean' } }
})
const unknown = positionals.filter((name) => !BENCHMARKS.some((benchmark) => benchmark.name === name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}: there are ${BENCHMARKS.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}
const chosen = BENCHMARKS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))

if (values.here) {
  for (const benchmark of chosen) {
    for (const result of [await benchmark.run()].flat()) console.log(JSON.stringify(result))
  }
} else {
  for (const benchmark of chosen) {
    const results = inOwnProcess(benchmark)
    if (results === undefined) process.exitCode = 1
    else if (values.json) for (const result of results) console.log(JSON.stringify(result))
    else printTable(benchmark, results)
  }
}

function inOwnProcess(benchmark: Benchmark): BenchmarkResult[] | undefined {
  const run = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, benchmark.name, '--here'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  if (run.status !== 0) return undefined
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): BenchmarkResult => JSON.parse(line))
}

function printTable(benchmark: Benchmark, results: readonly BenchmarkResult[]): void {
  console.log(`\n${benchmark.name}: ${benchmark.what}`)
  for (const result of results) {
    const { name, recordsPerSecond, cpuSeconds, seconds, rssMaxBytes, checked, records, ...details } = result
    const share = ((recordsPerSecond / benchmark.budget) * 100).toFixed(0)
    console.log(
      `  ${name.padEnd(22)} ${recordsPerSecond.toLocaleString('en-US').padStart(12)} records/s   ${share} % of the budget`
    )
    console.log(
      `  ${''.padEnd(22)} ${records.toLocaleString('en-US')} records in ${seconds} s, CPU ${cpuSeconds} s, ` +
        `RSS at most ${Math.round(rssMaxBytes / 1e6)} MB, ${checked ? 'checked' : 'not checked'}`
    )
    const rest = Object.entries(details).map(([key, value]) => `${key} ${value}`)
    if (rest.length > 0) console.log(`  ${''.padEnd(22)} ${rest.join(', ')}`)
  }
}
