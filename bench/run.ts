/**
 * `npm run bench -- [NAME…] [--json]`: every benchmark, and every row of one that has rows, in a process of its own, its result checked against
 * an oracle. A readable table, or one JSON line each. `NAME/ROW` is one row.
 */
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import type { Benchmark, BenchmarkResult } from './benchmark.ts'
import { clicks } from './clicks.ts'
import { codec } from './codec.ts'
import { compaction } from './compaction.ts'
import { connectors } from './connectors/connectors.ts'
import { operators } from './operators/operators.ts'
import { consume, produce } from './produce-consume.ts'
import { restore } from './restore.ts'

const BENCHMARKS: readonly Benchmark[] = [codec, produce, consume, clicks, restore, compaction, operators, connectors]

const { values, positionals } = argumentsOrEnd()
const runs = positionals.length === 0 ? BENCHMARKS.flatMap(runsOf) : positionals.flatMap(runsNamed)

let lastTitle: string | undefined
for (const run of runs) {
  if (values.here) {
    for (const result of [await run.benchmark.run(run.row)].flat()) console.log(JSON.stringify(result))
    continue
  }
  const results = inOwnProcess(run)
  if (results === undefined) process.exitCode = 1
  else if (values.json) for (const result of results) console.log(JSON.stringify(result))
  else printTable(run, results)
}

function argumentsOrEnd() {
  try {
    return parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' }, here: { type: 'boolean' } } })
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error))
    console.error('usage: npm run bench -- [NAME…] [--json]')
    return process.exit(2)
  }
}

/** A benchmark, or one of its rows. */
interface Run {
  readonly benchmark: Benchmark
  readonly row?: string
  readonly budget: number
}

function runsOf(benchmark: Benchmark): readonly Run[] {
  const { rows, budget } = benchmark
  return rows?.map((row) => ({ benchmark, row: row.name, budget: row.budget })) ?? [{ benchmark, budget }]
}

function runsNamed(name: string): readonly Run[] {
  const [first, row] = name.split('/')
  const found = BENCHMARKS.filter((benchmark) => benchmark.name === first)
    .flatMap(runsOf)
    .filter((run) => row === undefined || run.row === row)
  if (found.length > 0) return found
  const names = BENCHMARKS.map((benchmark) =>
    benchmark.rows === undefined
      ? benchmark.name
      : `${benchmark.name}/{${benchmark.rows.map((row) => row.name).join(', ')}}`
  )
  console.error(`no benchmark ${name}: there are ${names.join(', ')}`)
  process.exit(2)
}

function inOwnProcess({ benchmark, row }: Run): BenchmarkResult[] | undefined {
  const name = row === undefined ? benchmark.name : `${benchmark.name}/${row}`
  const run = spawnSync(process.execPath, [...process.execArgv, import.meta.filename, name, '--here'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit']
  })
  if (run.status !== 0) return undefined
  return run.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): BenchmarkResult => JSON.parse(line))
}

function printTable({ benchmark, budget }: Run, results: readonly BenchmarkResult[]): void {
  if (benchmark.name !== lastTitle) console.log(`\n${benchmark.name}: ${benchmark.what}`)
  lastTitle = benchmark.name
  for (const result of results) {
    const {
      name,
      recordsPerSecond,
      cpuSeconds,
      cpuMicrosPerRecord,
      seconds,
      rssMaxBytes,
      checked,
      records,
      ...details
    } = result
    const share = ((recordsPerSecond / budget) * 100).toFixed(0)
    console.log(
      `  ${name.padEnd(22)} ${recordsPerSecond.toLocaleString('en-US').padStart(12)} records/s   ${share} % of the budget`
    )
    console.log(
      `  ${''.padEnd(22)} ${records.toLocaleString('en-US')} records in ${seconds} s, CPU ${cpuSeconds} s (${cpuMicrosPerRecord} µs a record), ` +
        `RSS at most ${Math.round(rssMaxBytes / 1e6)} MB, ${checked ? 'checked' : 'not checked'}`
    )
    const rest = Object.entries(details).map(([key, value]) => `${key} ${value}`)
    if (rest.length > 0) console.log(`  ${''.padEnd(22)} ${rest.join(', ')}`)
  }
}
