import { parseArgs } from 'node:util'
import { soakConnectors } from './connectors/connectors-soak.ts'
import { soakSnapshot } from './connectors/snapshot-soak.ts'

const USAGE = `usage: npm run soak -- [connectors] [snapshot] [--seeds A..B | --minutes N] [--large ROWS] [--rows ROWS] [--kills N] [--verbose]
  connectors  PostgreSQL to PostgreSQL through views, everything killed; one transaction of --large rows (100,000)
  snapshot    a table of --rows rows (1,000,000) read while it is written to, killed half-way
  (default: connectors, seeds 1..10; with --minutes, seeds from 1 on until the time is over)`

/** What a seed of something showed, in one line. */
type Soak = (seed: number) => Promise<string>

process.exitCode = await main()

function argumentsOrEnd() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seeds: { type: 'string' },
        minutes: { type: 'string' },
        large: { type: 'string', default: '100000' },
        rows: { type: 'string', default: '1000000' },
        kills: { type: 'string', default: '8' },
        verbose: { type: 'boolean', default: false }
      }
    })
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    return process.exit(2)
  }
}

function isPositive(text: string): boolean {
  return Number(text) > 0
}

async function main(): Promise<number> {
  const { values, positionals } = argumentsOrEnd()
  const kills = Number(values.kills)
  const tell = values.verbose ? { tell: (line: string) => console.log(`  ${line}`) } : {}
  const soaks: Readonly<Record<string, Soak>> = {
    connectors: async (seed) => shown(await soakConnectors(seed, { kills, largeRows: Number(values.large), ...tell })),
    snapshot: async (seed) => shown(await soakSnapshot(seed, { rows: Number(values.rows), kills }))
  }
  const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds ?? '1..10')
  const chosen = positionals.length === 0 ? ['connectors'] : positionals
  const counts = [values.kills, values.large, values.rows, values.minutes ?? '1']
  const isEmpty = range === null || Number(range[2] ?? range[1]) < Number(range[1])
  if (range === null || isEmpty || !counts.every(isPositive) || chosen.some((what) => !(what in soaks))) {
    console.error(USAGE)
    return 2
  }
  const isEndless = values.minutes !== undefined && values.seeds === undefined
  const to = isEndless ? Number.POSITIVE_INFINITY : Number(range[2] ?? range[1])
  const endMs =
    values.minutes === undefined ? Number.POSITIVE_INFINITY : performance.now() + Number(values.minutes) * 60_000
  const again = `--large ${values.large} --rows ${values.rows} --kills ${kills} --verbose`
  for (let seed = Number(range[1]); seed <= to && performance.now() < endMs; seed++) {
    for (const what of chosen) {
      const soak = soaks[what]
      if (soak !== undefined && !(await passes(what, seed, { soak, again }))) return 1
    }
  }
  return 0
}

async function passes(
  what: string,
  seed: number,
  { soak, again }: { readonly soak: Soak; readonly again: string }
): Promise<boolean> {
  const beganMs = performance.now()
  const seconds = () => ((performance.now() - beganMs) / 1000).toFixed(1)
  try {
    const figures = await soak(seed)
    console.log(`${what}: seed ${seed} passed in ${seconds()} s: ${figures}`)
    return true
  } catch (error) {
    console.error(`${what}: seed ${seed} FAILED after ${seconds()} s`)
    console.error(error)
    console.error(`again: npm run soak -- ${what} --seeds ${seed}..${seed} ${again}`)
    return false
  }
}

/** Figures by name; of lists, how long they are, unless they are of numbers. */
function shown(figures: object): string {
  return Object.entries(figures)
    .map(([name, value]) => `${name} ${Array.isArray(value) && typeof value[0] === 'string' ? value.length : value}`)
    .join(', ')
}
