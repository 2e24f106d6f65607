import { parseArgs } from 'node:util'
import { type ConnectorsFigures, soakConnectors } from './connectors/connectors-soak.ts'

const USAGE = `usage: npm run soak -- [connectors] [--seeds A..B | --minutes N] [--large ROWS] [--kills N] [--verbose]
  connectors  PostgreSQL to PostgreSQL through views, everything killed (default: seeds 1..10; with --minutes, seeds from 1 on until the time is over)`

process.exitCode = await main()

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      large: { type: 'string', default: '100000' },
      kills: { type: 'string', default: '8' },
      verbose: { type: 'boolean', default: false }
    }
  })
  const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds ?? '1..10')
  if (range === null || positionals.some((what) => what !== 'connectors')) {
    console.error(USAGE)
    return 2
  }
  const from = Number(range[1])
  const endless = values.minutes !== undefined && values.seeds === undefined
  const to = endless ? Number.POSITIVE_INFINITY : Number(range[2] ?? range[1])
  const endMs =
    values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(values.minutes) * 60_000
  const options = {
    kills: Number(values.kills),
    largeRows: Number(values.large),
    ...(values.verbose ? { tell: (line: string) => console.log(`  ${line}`) } : {})
  }
  for (let seed = from; seed <= to && performance.now() < endMs; seed++) {
    const beganMs = performance.now()
    try {
      const figures = await soakConnectors(seed, options)
      console.log(`connectors: seed ${seed} passed in ${seconds(beganMs)} s: ${summary(figures)}`)
    } catch (error) {
      console.error(`connectors: seed ${seed} FAILED after ${seconds(beganMs)} s`)
      console.error(error)
      console.error(
        `again: npm run soak -- connectors --seeds ${seed}..${seed} --large ${values.large} --kills ${values.kills} --verbose`
      )
      return 1
    }
  }
  return 0
}

function seconds(beganMs: number): string {
  return ((performance.now() - beganMs) / 1000).toFixed(1)
}

function summary({
  kills,
  killsAtSteps,
  faults,
  transactions,
  changes,
  snapshotRows,
  truncates,
  results
}: ConnectorsFigures): string {
  return `${kills} kills (${killsAtSteps} at a step), ${faults.length} faults, ${transactions} transactions, ${snapshotRows} rows read, ${changes} changes, ${truncates} truncates, ${results} results`
}
