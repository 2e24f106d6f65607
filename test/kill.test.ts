import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
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
/** Of the processor's time. */
const RESTART_BUDGET_MS = 2000
const DRIP_LINES = 200
const DRIP_MS = 25

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-kill-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** One life of the job. */
interface Life {
  readonly end: End
  readonly exit: 'killed' | number
  readonly commits: number
  readonly replayed: number
  readonly rebuilt: readonly string[]
  /** What it took to run again, of the processor's time. */
  readonly runningAfterMs: number | undefined
  readonly output: string
}

/** How a life ends: by itself, at a step of the commit spine, or at random some time after its first commit. */
type End = { readonly step: string; readonly passes: number } | { readonly afterMs: number } | 'end'

async function live(end: End, args: readonly string[], onRunning: () => void = () => undefined): Promise<Life> {
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
      } else if (word === 'running') {
        seen.runningAfterMs = Number(text)
        onRunning()
      } else if (word === 'restored') {
        const restored: { records: number; rebuildReason?: string } = JSON.parse(text)
        seen.replayed += restored.records
        if (restored.rebuildReason !== undefined) seen.rebuilt.push(restored.rebuildReason)
      } else if (word !== 'commit' && word !== 'killed') output += `${line}\n`
    }
  })
  const exit = await new Promise<'killed' | number>((resolve) => {
    child.on('close', (code, signal) => resolve(signal === 'SIGKILL' ? 'killed' : (code ?? -1)))
  })
  return { ...seen, end, exit, output }
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

/**
 * A log file that grows while the job reads it, so that there always is something to commit until the kill: it has at least so many copies of the
 * sample in the end, and more where a slow machine's lives are long.
 */
class GrowingLog {
  readonly #file: string
  readonly #copies: Copies
  readonly #lines: string[] = []
  #copied = 0
  #written = 0
  #timer: NodeJS.Timeout | undefined

  constructor(file: string, copies: Copies) {
    this.#file = file
    this.#copies = copies
    this.#write(DRIP_LINES)
  }

  /** Writes what is missing of it. @returns all lines that were written. */
  writeRest(): readonly string[] {
    while (this.#copied < this.#copies.atLeast) this.#copy()
    this.#write(this.#lines.length - this.#written)
    return this.#lines
  }

  drip(): void {
    this.#timer = setInterval(() => this.#write(DRIP_LINES), DRIP_MS)
  }

  #write(count: number): void {
    while (this.#lines.length < this.#written + count) this.#copy()
    const lines = this.#lines.slice(this.#written, this.#written + count)
    this.#written += lines.length
    appendFileSync(this.#file, Buffer.from(lines.map((line) => `${line}\n`).join(''), 'latin1'))
  }

  #copy(): void {
    for (const line of this.#copies.make(this.#copied++)) this.#lines.push(line)
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

/** Kills the job again and again, then lets it finish. @returns its lives, and the lines that it read. */
async function killAgainAndAgain(copies: Copies, options: readonly string[] = []) {
  const file = join(directory, 'access.log')
  const log = new GrowingLog(file, copies)
  const args = [file, '--data', join(directory, 'data'), '--quiet', ...options]
  const lives: Life[] = []
  for (const end of ends(seeded(7))) {
    if (lives.length === KILLS) break
    const life = await live(end, args, () => log.drip()).finally(() => log.stop())
    expect(life.exit, `life ${lives.length + 1} (${JSON.stringify(end)}) ended by itself:\n${life.output}`).toBe(
      'killed'
    )
    expect(life.commits).toBeGreaterThan(0)
    lives.push(life)
  }
  const lines = log.writeRest()
  lives.push(await live('end', [...args, '--until-end', '--out', join(directory, 'out.csv')]))
  expect(lives.at(-1)?.exit, lives.at(-1)?.output).toBe(0)
  return { lives, lines }
}

/**
 * State is never wiped: the next life goes on from the last commit. Only a kill between the transaction's commit and the stores' leaves
 * something to replay, and that is what this one commit changed.
 */
function checkLives(lives: readonly Life[]): void {
  expect(lives.flatMap((life) => life.rebuilt)).toEqual([])
  for (const [i, life] of lives.entries()) {
    expect(life.runningAfterMs).toBeLessThan(RESTART_BUDGET_MS)
    const next = lives[i + 1]
    if (next === undefined || typeof life.end !== 'object' || !('step' in life.end)) continue
    const behind = life.end.step === 'commit:transaction-committed'
    expect(next.replayed > 0, `replayed after a kill at ${life.end.step}: ${next.replayed}`).toBe(behind)
    expect(next.replayed).toBeLessThanOrEqual(DRIP_LINES * 200)
  }
}

function checkResult(lines: readonly string[], lives: readonly Life[], graceMs: number): void {
  const input = Buffer.from(lines.join('\n'), 'latin1')
  const oracle = countByOracle(input, { windowMs: 60_000, graceMs, partitions: PARTITIONS })
  const { clicks, ignored, bad, late } = oracle
  expect(lives.at(-1)?.output).toContain(
    `data directory: lines ${lines.length}, clicks ${clicks}, ignored ${ignored}, bad ${bad}, late ${late}`
  )
  expect(readFileSync(join(directory, 'out.csv')).equals(oracle.csv)).toBe(true)
}

const sample = gunzipSync(readFileSync(SAMPLE))

/** Lines of a log that is as long as is needed: the sample again and again. */
interface Copies {
  /** How many of them there are in the end at the least. */
  readonly atLeast: number
  make(copy: number): readonly string[]
}

const sampleLines = sample
  .toString('latin1')
  .split('\n')
  .filter((line) => line !== '')

/** The sample, each copy four days after the one before, so that its clicks are not late. */
function laterCopy(copy: number): string[] {
  return sampleLines.map((line) =>
    line.replace(/\[(\d\d)\/(\w{3})\/(\d{4})/, (_all, day, month, year) => {
      const date = new Date(Date.parse(`${day} ${month} ${year} UTC`) + copy * 4 * 86_400_000)
      const [, shiftedDay, shiftedMonth, shiftedYear] = date.toUTCString().split(' ')
      return `[${shiftedDay}/${shiftedMonth}/${shiftedYear}`
    })
  )
}

/** Some of the lines up to 400 places away from where they belong. */
function disordered(lines: string[], random: () => number): string[] {
  for (let i = 0; i + 400 < lines.length; i++) {
    if (random() > 0.3) continue
    const other = i + Math.floor(random() * 400)
    ;[lines[i], lines[other]] = [lines[other], lines[i]]
  }
  return lines
}

describe('the click aggregator killed with SIGKILL', { timeout: 900_000 }, () => {
  it('counts 400,000 lines exactly once', async () => {
    const { lives, lines } = await killAgainAndAgain({ atLeast: 40, make: laterCopy })
    expect(lines.length).toBeGreaterThanOrEqual(400_000)
    checkLives(lives)
    checkResult(lines, lives, 10_000)
  })

  it('decides alike about disordered and late clicks, whatever it forgot', async () => {
    const random = seeded(11)
    const copies = { atLeast: 20, make: (copy: number) => disordered(laterCopy(copy), random) }
    const { lives, lines } = await killAgainAndAgain(copies, ['--grace', '2s'])
    checkLives(lives)
    checkResult(lines, lives, 2000)
  })
})
