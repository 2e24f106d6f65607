import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { COMMIT_STEPS } from '@millrace/streams'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countByOracle } from './click-oracle.ts'

const SAMPLE = join(import.meta.dirname, '../examples/01-click-aggregator/data/apache-access.log.gz')
const JOB = join(import.meta.dirname, 'click-job.ts')
const PARTITIONS = 4
const KILLS = 25
const RESTART_BUDGET_MS = 2000

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** One life of the job. */
interface Life {
  readonly exit: 'killed' | number
  readonly commits: number
  readonly replayed: number
  readonly rebuilt: readonly string[]
  readonly runningAfterMs: number | undefined
  readonly output: string
}

/** How a life ends: by itself, at a step of the commit spine, or at random some time after its first commit. */
type End = { readonly step: string; readonly passes: number } | { readonly afterMs: number } | 'end'

async function live(end: End, args: readonly string[]): Promise<Life> {
  const [step, passes] = typeof end === 'object' && 'step' in end ? [end.step, end.passes] : ['-', 0]
  const child = spawn(process.execPath, ['--conditions=source', JOB, step, String(passes), ...args], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const seen = { commits: 0, replayed: 0, rebuilt: [] as string[], runningAfterMs: undefined as number | undefined }
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  let rest = ''
  child.stderr.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [word, text] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]
      if (word === 'commit' && ++seen.commits === 1 && typeof end === 'object' && 'afterMs' in end) {
        killAfter(child, end.afterMs)
      } else if (word === 'running') seen.runningAfterMs = Number(text)
      else if (word === 'restored') {
        const restored: { records: number; rebuildReason?: string } = JSON.parse(text)
        seen.replayed += restored.records
        if (restored.rebuildReason !== undefined) seen.rebuilt.push(restored.rebuildReason)
      } else if (word !== 'commit' && word !== 'killed') output += `${line}\n`
    }
  })
  const exit = await new Promise<'killed' | number>((resolve) => {
    child.on('close', (code, signal) => resolve(signal === 'SIGKILL' ? 'killed' : (code ?? -1)))
  })
  return { ...seen, exit, output }
}

/** A random instant is what is wanted here: nothing waits for it. */
function killAfter(child: ChildProcess, delayMs: number): void {
  setTimeout(() => child.kill('SIGKILL'), delayMs)
}

/** Every step of the spine in turn, and random instants between them. */
function* ends(random: () => number): Generator<End> {
  for (let i = 0; ; i++) {
    yield i % 2 === 0
      ? { step: COMMIT_STEPS[(i / 2) % COMMIT_STEPS.length], passes: Math.floor(random() * 3) }
      : { afterMs: Math.floor(random() * 150) }
  }
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 0x1_0000_0000
  }
}

/** Kills the job again and again, then lets it finish; returns its lives. */
async function killAgainAndAgain(file: string, options: readonly string[]): Promise<Life[]> {
  const args = [file, '--data', join(directory, 'data'), '--until-end', '--quiet', '--rate', '60000', ...options]
  const lives: Life[] = []
  for (const end of ends(seeded(7))) {
    if (lives.length === KILLS) break
    const life = await live(end, args)
    expect(life.exit, `life ${lives.length + 1} (${JSON.stringify(end)}) ended by itself:\n${life.output}`).toBe(
      'killed'
    )
    expect(life.commits).toBeGreaterThan(0)
    lives.push(life)
  }
  const fast = args.filter((arg, i) => arg !== '--rate' && args[i - 1] !== '--rate')
  lives.push(await live('end', [...fast, '--out', join(directory, 'out.csv')]))
  expect(lives.at(-1)?.exit, lives.at(-1)?.output).toBe(0)
  return lives
}

function checkLives(lives: readonly Life[]): void {
  // State is never wiped: what is replayed is at most what one commit wrote.
  expect(lives.flatMap((life) => life.rebuilt)).toEqual([])
  for (const life of lives) expect(life.runningAfterMs).toBeLessThan(RESTART_BUDGET_MS)
}

function checkResult(input: Buffer, lives: readonly Life[], graceMs: number): void {
  const oracle = countByOracle(input, { windowMs: 60_000, graceMs, partitions: PARTITIONS })
  const { lines, clicks, ignored, bad, late } = oracle
  expect(lives.at(-1)?.output).toContain(
    `data directory: lines ${lines}, clicks ${clicks}, ignored ${ignored}, bad ${bad}, late ${late}`
  )
  expect(readFileSync(join(directory, 'out.csv')).equals(oracle.csv)).toBe(true)
}

const sample = gunzipSync(readFileSync(SAMPLE))

/** The log again and again, each copy four days after the one before, so that its clicks are not late. */
function repeated(copies: number): Buffer {
  const lines = sample
    .toString('latin1')
    .split('\n')
    .filter((line) => line !== '')
  const shifted = Array.from({ length: copies }, (_, copy) =>
    lines.map((line) =>
      line.replace(/\[(\d\d)\/(\w{3})\/(\d{4})/, (_all, day, month, year) => {
        const date = new Date(Date.parse(`${day} ${month} ${year} UTC`) + copy * 4 * 86_400_000)
        const [, shiftedDay, shiftedMonth, shiftedYear] = date.toUTCString().split(' ')
        return `[${shiftedDay}/${shiftedMonth}/${shiftedYear}`
      })
    )
  )
  return Buffer.from(`${shifted.flat().join('\n')}\n`, 'latin1')
}

describe('the click aggregator killed with SIGKILL', { timeout: 300_000 }, () => {
  it('counts 400,000 lines exactly once', async () => {
    const input = repeated(40)
    const file = join(directory, 'access.log')
    writeFileSync(file, input)
    const lives = await killAgainAndAgain(file, [])
    checkLives(lives)
    checkResult(input, lives, 10_000)
  })

  it('decides alike about disordered and late clicks, whatever it forgot', async () => {
    const random = seeded(11)
    const lines = repeated(8)
      .toString('latin1')
      .split('\n')
      .filter((line) => line !== '')
    for (let i = 0; i + 400 < lines.length; i++) {
      if (random() > 0.3) continue
      const other = i + Math.floor(random() * 400)
      ;[lines[i], lines[other]] = [lines[other], lines[i]]
    }
    const input = Buffer.from(`${lines.join('\n')}\n`, 'latin1')
    const file = join(directory, 'access.log')
    writeFileSync(file, input)
    const lives = await killAgainAndAgain(file, ['--grace', '2s', '--rate', '20000'])
    checkLives(lives)
    checkResult(input, lives, 2000)
  })
})
