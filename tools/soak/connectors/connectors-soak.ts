import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SINK_STEPS, SOURCE_STEPS } from '@millrace/connectors'
import { openLog } from '@millrace/log'
import { COMMIT_STEPS } from '@millrace/streams'
import { compareTarget, compareViews, DifferenceError, withClient } from './compare.ts'
import { cutConnections, type Databases, startDatabases } from './databases.ts'
import { checkCaptured, checkResults, type LogFigures } from './exactly-once.ts'
import { JobLife } from './job-life.ts'
import { Load, largeTransaction, SCHEMA_CHANGES, TRUNCATION } from './load.ts'
import { Random } from './random.ts'

/** What one seed did. */
export interface ConnectorsFigures extends LogFigures {
  readonly kills: number
  readonly killsAtSteps: number
  readonly faults: readonly string[]
  readonly transactions: number
  readonly results: number
}

/** How a seed is run. */
export interface ConnectorsSoakOptions {
  /** How often the process is killed. */
  readonly kills: number
  /** Rows of the one large transaction. */
  readonly largeRows: number
  /** Told of what happens. */
  readonly tell?: (line: string) => void
}

/** Steps at which a process can be killed again and again: those of each commit. */
const STEPS = [
  ...SOURCE_STEPS.filter((step) => SOURCE_STEPS.indexOf(step) >= SOURCE_STEPS.indexOf('source:transaction-begun')),
  ...SINK_STEPS.filter((step) => ['sink:batch-taken', 'sink:written', 'sink:offsets-committed'].includes(step)),
  ...COMMIT_STEPS
]
const TABLES = ['customers', 'orders', 'items', 'kinds', 'stock']
const PARTS = ['shop', 'views', 'results', 'mirror']
const REST_MS = 60_000
const POLL_MS = 200
const ATTEMPTS = 10

/**
 * One seed of the great test: random transactions in one database, captured, joined and aggregated, written to another; the process killed, the
 * servers and the connections too. At rest all agree, and nothing was written twice.
 * @throws DifferenceError, JobStuckError
 */
export async function soakConnectors(seed: number, options: ConnectorsSoakOptions): Promise<ConnectorsFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
  const databases = await startDatabases()
  try {
    return await new ConnectorsSoak(seed, { ...options, directory, databases }).run()
  } finally {
    await databases.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

interface SoakParts extends ConnectorsSoakOptions {
  readonly directory: string
  readonly databases: Databases
}

class ConnectorsSoak {
  readonly #parts: SoakParts
  readonly #random: Random
  readonly #load: Load
  readonly #faults: string[] = []
  #life: JobLife | undefined
  #schemaChange = 0
  #killsAtSteps = 0
  /** The life in which the large transaction takes place: it may be while the tables are read for the first time. */
  readonly #largeAt: number

  constructor(seed: number, parts: SoakParts) {
    this.#parts = parts
    this.#random = new Random(seed)
    this.#largeAt = this.#random.below(parts.kills)
    this.#load = new Load(parts.databases.sourceUrl, new Random(seed + 1_000_003))
  }

  async run(): Promise<ConnectorsFigures> {
    try {
      for (let life = 0; life < this.#parts.kills; life++) await this.#killedLife(life)
      return await this.#lastLife()
    } finally {
      await this.#load.stop().catch(() => undefined)
      await this.#life?.kill()
    }
  }

  /** A life under load, with a fault or two, until everything in it has made progress; then it is killed. */
  async #killedLife(number: number): Promise<void> {
    const life = this.#begin()
    this.#load.start()
    await life.progressed(PARTS)
    if (number === this.#largeAt) {
      await this.#tell('large transaction', () => this.#transaction(largeTransaction(this.#parts.largeRows)))
    }
    await this.#fault()
    if (number === this.#parts.kills - 1) await this.#tell('truncation', () => this.#transaction(TRUNCATION))
    if (this.#random.oneIn(3)) await this.#fault()
    await this.#alter()
    const how = this.#random.oneIn(4) ? await this.#killSoon(life) : await this.#killAtStep(life)
    this.#parts.tell?.(
      `life ${number + 1} killed ${how}, after ${[...life.progress].map((one) => one.join(' ')).join(', ')}`
    )
    await this.#load.stop()
  }

  async #killAtStep(life: JobLife): Promise<string> {
    const step = this.#random.pick(STEPS)
    const how = await life.killAt(step, this.#random.below(3))
    if (how === 'at the step') this.#killsAtSteps++
    return `${how} ${step}`
  }

  async #killSoon(life: JobLife): Promise<string> {
    await sleep(this.#random.below(300))
    await life.kill()
    return 'at any time'
  }

  #begin(): JobLife {
    const { directory, databases } = this.#parts
    this.#life = new JobLife({
      directory: join(directory, 'log'),
      source: databases.sourceUrl,
      target: databases.targetUrl,
      chunkRows: 200
    })
    return this.#life
  }

  /** A transaction that must take place, beside those of the load. */
  async #transaction(statements: readonly string[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await withClient(this.#parts.databases.sourceUrl, (client) =>
          client.query(`begin; ${statements.join('; ')}; commit`)
        )
        return
      } catch (error) {
        if (attempt === ATTEMPTS || !isDeadlock(error)) throw error
      }
    }
  }

  /** The next migration, all of it at once. */
  async #alter(): Promise<void> {
    const change = SCHEMA_CHANGES[this.#schemaChange]
    if (change === undefined) return
    this.#schemaChange++
    await this.#tell(change[0] ?? '', () => this.#transaction(change))
  }

  async #fault(): Promise<void> {
    const { source, target } = this.#parts.databases
    const { sourceUrl, targetUrl } = this.#parts.databases
    const faults: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['source restarted', () => source.restart()],
      ['source killed', () => source.kill('SIGKILL').then(() => source.start())],
      ['target restarted', () => target.restart()],
      ['target killed', () => target.kill('SIGKILL').then(() => target.start())],
      ['connections to the source cut', () => cutConnections(sourceUrl)],
      ['connections to the target cut', () => cutConnections(targetUrl)],
      [
        'a connector restarted',
        async () => this.#life?.tell(`restart ${this.#random.pick(['shop', 'results', 'history'])}`)
      ]
    ]
    const [name, run] = this.#random.pick(faults)
    await this.#tell(name, run)
  }

  async #tell(what: string, run: () => Promise<unknown>): Promise<void> {
    this.#faults.push(what)
    this.#parts.tell?.(what)
    await run()
  }

  /** The rest is silence: everything comes to its end and is compared. */
  async #lastLife(): Promise<ConnectorsFigures> {
    const { directory, databases } = this.#parts
    const life = this.#begin()
    while (SCHEMA_CHANGES[this.#schemaChange] !== undefined) await this.#alter()
    await life.progressed(['views'])
    await equal(life, () => tablesWereRead(life))
    const file = join(directory, 'views.ndjson')
    return withClient(databases.sourceUrl, (source) =>
      withClient(databases.targetUrl, async (target) => {
        await equal(life, () => compareTarget(source, target))
        await equal(life, async () => {
          await life.ask(`dump ${file}`, 'dumped')
          await compareViews(source, file)
        })
        await compareTarget(source, target)
        await life.close()
        const log = await openLog({ dir: join(directory, 'log') })
        try {
          const captured = await checkCaptured(log, TABLES)
          const results = await checkResults(log, target)
          return {
            ...captured,
            results,
            kills: this.#parts.kills,
            killsAtSteps: this.#killsAtSteps,
            faults: this.#faults,
            transactions: this.#load.committed
          }
        } finally {
          await log.close()
        }
      })
    )
  }
}

/** Compares until nothing differs; gives up when nothing moves any more. */
async function equal(life: JobLife, compare: () => Promise<void>): Promise<void> {
  const moved = () => ['shop', 'views', 'results', 'history', 'mirror'].map((name) => life.progress.get(name)).join()
  let deadline = performance.now() + REST_MS
  let last = moved()
  for (;;) {
    try {
      await compare()
      return
    } catch (error) {
      if (!(error instanceof DifferenceError)) throw error
      if (moved() !== last) deadline = performance.now() + REST_MS
      last = moved()
      if (performance.now() < deadline) await sleep(POLL_MS)
      else throw new DifferenceError(`${error.message}\n${life.story.slice(-30).join('\n')}`, { cause: error })
    }
  }
}

/** @throws DifferenceError while a table's snapshot is not in the log to its end: kills, faults and the load may have left little time for it. */
async function tablesWereRead(life: JobLife): Promise<void> {
  const done = (await life.ask('snapshots', 'snapshots')).split(' ').slice(1)
  const missing = TABLES.filter((table) => !done.includes(`snapshot:public.${table}`))
  if (missing.length > 0) throw new DifferenceError(`not read to the end: ${missing.join(', ')}`)
}

function isDeadlock(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '40P01'
}

function sleep(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
