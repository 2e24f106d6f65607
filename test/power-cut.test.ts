import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { simulateClicks } from '../tools/simulate/clicks/click-simulation.ts'
import { SimulationFailedError } from '../tools/simulate/simulation.ts'

const SIMULATE = join(import.meta.dirname, '../tools/simulate/run.ts')

/** Runs `npm run simulate` as a process; resolves with its exit code and all it said. */
function simulate(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, ['--conditions=source', SIMULATE, ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, output })))
}

describe('the click aggregator under simulated power cuts, kills, full and failing disks', { timeout: 300_000 }, () => {
  it('counts every click exactly once in a thousand worlds', async () => {
    const halves = await Promise.all(['1..500', '501..1000'].map((seeds) => simulate(['clicks', '--seeds', seeds])))
    for (const { code, output } of halves) {
      expect(output).toMatch(/passed, [\d.]+ seeds\/s \(lines/)
      expect(code, output).toBe(0)
    }
    // It would prove little if the worlds were peaceful.
    const total = (name: string) =>
      halves.reduce((sum, { output }) => sum + Number(output.match(new RegExp(`${name} (\\d+)`))?.[1] ?? 0), 0)
    expect(total('crashes')).toBeGreaterThan(1500)
    expect(total('fullDisks')).toBeGreaterThan(200)
    expect(total('commits')).toBeGreaterThan(5000)
    expect(total('tornTails')).toBeGreaterThan(100)
  })

  it('takes the same course again from the same seed', async () => {
    for (const seed of [1, 7, 22, 34, 169]) {
      const [first, second] = [await simulateClicks(seed), await simulateClicks(seed)]
      expect(second).toEqual(first)
    }
    expect((await simulateClicks(2)).traceHash).not.toBe((await simulateClicks(3)).traceHash)
  })

  it('notices when nothing is synced before it is acknowledged', async () => {
    const failures: SimulationFailedError[] = []
    for (let seed = 1; seed <= 20; seed++) {
      await simulateClicks(seed, { fsync: 'os' }).catch((error) => {
        if (!(error instanceof SimulationFailedError)) throw error
        failures.push(error)
      })
    }
    expect(failures.length).toBeGreaterThan(3)
    expect(failures[0].message).toMatch(/^seed \d+: /)
    expect(failures[0].story.length).toBeGreaterThan(1)
  })
})
