import { parseArgs } from 'node:util'
import { clickSimulation } from './clicks/click-simulation.ts'
import { type Simulation, SimulationFailedError } from './simulation.ts'
import { streamSimulation } from './streams/stream-simulation.ts'

const SIMULATIONS: readonly Simulation[] = [clickSimulation, streamSimulation]
const USAGE = `usage: npm run simulate -- [WHAT…] [--seeds A..B]   (default: all of them, seeds 1..100)
${SIMULATIONS.map(({ name, description }) => `  ${name}  ${description}`).join('\n')}`
const PROGRESS_MS = 2000

process.exitCode = await main()

async function main(): Promise<number> {
  const asked = asks(process.argv.slice(2))
  if (typeof asked === 'string') {
    console.error(`${asked}\n${USAGE}`)
    return 2
  }
  const { chosen, seeds } = asked
  let failed = 0
  for (const simulation of chosen) if (!(await runSeeds(simulation, seeds))) failed++
  return failed > 0 ? 1 : 0
}

interface Seeds {
  readonly from: number
  readonly to: number
}

/** What is asked for, or what is wrong with it. */
function asks(args: readonly string[]): string | { readonly chosen: readonly Simulation[]; readonly seeds: Seeds } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { seeds: { type: 'string', default: '1..100' } }
    })
    const range = /^(\d+)(?:\.\.(\d+))?$/.exec(values.seeds)
    if (range === null) return `--seeds ${values.seeds} is no range of seeds: write A..B`
    const unknown = positionals.find((what) => !SIMULATIONS.some(({ name }) => name === what))
    if (unknown !== undefined) return `there is no simulation ${unknown}`
    const chosen = SIMULATIONS.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
    return { chosen, seeds: { from: Number(range[1]), to: Number(range[2] ?? range[1]) } }
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function runSeeds(simulation: Simulation, { from, to }: Seeds): Promise<boolean> {
  const beganMs = performance.now()
  const totals = new Map<string, number>()
  let saidMs = beganMs
  const rate = (seeds: number) => `${((seeds * 1000) / (performance.now() - beganMs)).toFixed(1)} seeds/s`
  for (let seed = from; seed <= to; seed++) {
    try {
      const { counts } = await simulation.run(seed)
      for (const [name, count] of Object.entries(counts)) totals.set(name, (totals.get(name) ?? 0) + count)
    } catch (error) {
      if (!(error instanceof SimulationFailedError)) throw error
      console.error(`${simulation.name}: FAILED ${error.message}`)
      for (const line of error.story) console.error(`  ${line}`)
      console.error(error.cause)
      console.error(`again: npm run simulate -- ${simulation.name} --seeds ${seed}..${seed}`)
      return false
    }
    if (performance.now() - saidMs < PROGRESS_MS) continue
    saidMs = performance.now()
    console.log(`${simulation.name}: seeds ${from}..${seed} of ${to} passed, ${rate(seed - from + 1)}`)
  }
  const figures = [...totals].map(([name, count]) => `${name} ${count}`).join(', ')
  console.log(`${simulation.name}: seeds ${from}..${to} passed, ${rate(to - from + 1)} (${figures})`)
  return true
}
