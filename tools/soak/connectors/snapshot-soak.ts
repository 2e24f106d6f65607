import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '@millrace/connectors/testing/postgres'
import { openLog } from '@millrace/log'
import type pg from 'pg'
import { DifferenceError, same, withClient } from './compare.ts'
import { checkCaptured, readAll } from './exactly-once.ts'
import { JobLife, JobStuckError } from './job-life.ts'
import type { JobSettings } from './job-settings.ts'
import { Random } from './random.ts'

/** How a snapshot is put to the test. */
export interface SnapshotSoakOptions {
  /** Rows of the table at the beginning. */
  readonly rows: number
  /** How often the process is killed while it reads them. */
  readonly kills: number
}

/** What a snapshot did. */
export interface SnapshotFigures {
  readonly kills: number
  /** Rows of the snapshot that were on the log for good, by each kill. */
  readonly rowsAtKills: readonly number[]
  readonly rowsRead: number
  readonly rowsChanged: number
  readonly seconds: number
}

const POLL_MS = 100
const PATIENCE_MS = 60_000
const KILL_STEPS = ['source:records-written', 'source:positions-written', 'source:committed', 'source:state-applied']

/**
 * Reads a large table that is written to meanwhile, killed half-way again and again. In the end the log makes the table as it is, and no row of the
 * snapshot is on the log twice: each life went on where the one before had come to.
 * @throws DifferenceError, JobStuckError
 */
export async function soakSnapshot(seed: number, options: SnapshotSoakOptions): Promise<SnapshotFigures> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'))
  const server = await startPostgres()
  try {
    return await readAndWrite(new Random(seed), options, { directory, server })
  } finally {
    await server.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function readAndWrite(
  random: Random,
  { rows, kills }: SnapshotSoakOptions,
  { directory, server }: { readonly directory: string; readonly server: PostgresServer }
): Promise<SnapshotFigures> {
  const url = await server.createDatabase('large')
  await withClient(url, async (client) => {
    await client.query('create table large (id bigint primary key, n int not null, words text)')
    await client.query(`insert into large select i, i % 1000, 'row ' || i from generate_series(1, ${rows}) i`)
  })
  const log = join(directory, 'log')
  const unit = Math.max(1000, rows / 50)
  const settings: JobSettings = { directory: log, source: url, chunkRows: unit, transactionRecords: unit }
  const writer = new Writer(url, rows, random)
  const rowsAtKills: number[] = []
  const beganMs = performance.now()
  writer.start()
  try {
    for (let kill = 0; kill < kills; kill++) {
      const life = new JobLife({ ...settings, kill: { step: random.pick(KILL_STEPS), passes: 2 + random.below(4) } })
      await life.ended()
      rowsAtKills.push(await snapshotRows(log))
    }
    const life = new JobLife(settings)
    await life.heard('event shop snapshot-finished')
    await writer.stop()
    await withClient(url, acknowledged)
    await life.close()
    const figures = await compare(log, url)
    return { kills, rowsAtKills, seconds: (performance.now() - beganMs) / 1000, ...figures }
  } finally {
    await writer.stop()
  }
}

/** Writes to the table, its parts that are read already and those that are not alike. */
class Writer {
  readonly #url: string
  readonly #rows: number
  readonly #random: Random
  #stopped = false
  #running: Promise<void> | undefined

  constructor(url: string, rows: number, random: Random) {
    this.#url = url
    this.#rows = rows
    this.#random = random
  }

  start(): void {
    this.#running = withClient(this.#url, (client) => this.#run(client))
    this.#running.catch(() => undefined)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(client: pg.Client): Promise<void> {
    while (!this.#stopped) {
      await client.query(this.#statement())
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  #statement(): string {
    const random = this.#random
    const id = 1 + random.below(this.#rows)
    const kind = random.below(10)
    if (kind < 5) return `update large set n = n + 1 where id between ${id} and ${id + 5}`
    if (kind < 7) return `delete from large where id between ${id} and ${id + 1}`
    if (kind < 9)
      return `insert into large values (${id}, 0, 'again') on conflict (id) do update set words = 'once more'`
    const far = 1 + random.below(this.#rows)
    return `update large set id = ${far} where id = ${id} and not exists (select from large where id = ${far})`
  }
}

/** Waits until the source has told the server that the log holds everything that was written. */
async function acknowledged(client: pg.Client): Promise<void> {
  await client.query(`insert into large values (0, 0, 'the end')`)
  const { rows } = await client.query('select pg_current_wal_lsn() as lsn')
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const answer = await client.query('select from pg_replication_slots where confirmed_flush_lsn >= $1', [
      rows[0]?.lsn
    ])
    if (answer.rowCount === 1) return
    if (performance.now() > deadline) throw new JobStuckError(`the source has not acknowledged ${rows[0]?.lsn}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** How many rows the snapshot had on the log for good. */
async function snapshotRows(directory: string): Promise<number> {
  const log = await openLog({ dir: directory })
  let rows = 0
  await readAll(log, 'connect-offsets', ({ key, value }) => {
    if (key === '["shop","snapshot:public.large"]' && value !== null)
      rows = (JSON.parse(value) as { rows: number }).rows
  })
  await log.close()
  return rows
}

async function compare(directory: string, url: string): Promise<{ rowsRead: number; rowsChanged: number }> {
  const log = await openLog({ dir: directory })
  try {
    const { snapshotRows: rowsRead, changes: rowsChanged } = await checkCaptured(log, ['large'], false)
    const found = new Map<string, string>()
    await readAll(log, 'shop.public.large', ({ key, value }) => {
      const after =
        value === null ? null : (JSON.parse(value) as { after: { id: number; n: number; words: string } | null }).after
      if (after === null) found.delete(String(key))
      else found.set(String(key), `${after.n} ${after.words}`)
    })
    const expected = await withClient(url, async (client) => {
      const { rows } = await client.query(`select id, n || ' ' || words as row from large`)
      return new Map(rows.map(({ id, row }) => [`{"id":${id}}`, String(row)]))
    })
    if (expected.size === 0) throw new DifferenceError('the table is empty: nothing was shown')
    same('large', expected, found)
    return { rowsRead, rowsChanged }
  } finally {
    await log.close()
  }
}
