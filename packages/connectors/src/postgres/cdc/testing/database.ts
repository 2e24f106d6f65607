import { UsageError } from '@millrace/log'
import pg from 'pg'
import { type PostgresServer, startPostgres } from '../../../testing/embedded-postgres/index.ts'
import type { PostgresCdcOptions, PostgresCdcSource } from '../options.ts'
import type { CdcPosition } from '../position.ts'
import { postgresCdc } from '../postgres-cdc.ts'
import { SourceRig } from './source-rig.ts'

const PATIENCE_MS = 90_000

/** A server with one database for the tests of a file, and rigs that end with each test. */
export class TestDatabase {
  readonly server: PostgresServer
  readonly url: string
  client: pg.Client
  #number = 0
  #rigs: SourceRig<CdcPosition>[] = []

  static async start(options: Parameters<typeof startPostgres>[0] = {}): Promise<TestDatabase> {
    const server = await startPostgres(options)
    const url = await server.createDatabase('app')
    return new TestDatabase(server, url, await connect(url))
  }

  constructor(server: PostgresServer, url: string, client: pg.Client) {
    this.server = server
    this.url = url
    this.client = client
  }

  /** Runs SQL and gives the rows. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of any statement
  async sql(text: string, values?: unknown[]): Promise<any[]> {
    return (await this.client.query(text, values)).rows
  }

  async reconnect(): Promise<void> {
    this.client = await connect(this.url)
  }

  newRig(): SourceRig<CdcPosition> {
    const rig = new SourceRig<CdcPosition>()
    this.#rigs.push(rig)
    return rig
  }

  /** A table of its own, and a function that makes sources of it with a slot of their own. */
  async newTable(columns: string, more = ''): Promise<TestTable> {
    const name = `t${++this.#number}`
    await this.sql(`create table ${name} (${columns}) ${more}`)
    return {
      name,
      topic: `app.public.${name}`,
      slot: `slot_${name}`,
      source: (options = {}) =>
        postgresCdc({
          driver: pg,
          connection: this.url,
          name: 'app',
          slot: `slot_${name}`,
          publication: `pub_${name}`,
          tables: [name],
          ...options
        })
    }
  }

  /** Ends the rigs of a test and frees their slots. */
  async endTest(): Promise<void> {
    for (const rig of this.#rigs) await rig.close()
    this.#rigs = []
    await this.sql(`select pg_drop_replication_slot(slot_name) from pg_replication_slots where not active`)
  }

  async stop(): Promise<void> {
    await this.client.end().catch(() => undefined)
    await this.server.stop()
  }
}

/** A table and its sources. */
export interface TestTable {
  readonly name: string
  readonly topic: string
  readonly slot: string
  readonly source: (options?: Partial<PostgresCdcOptions>) => PostgresCdcSource
}

/** Whether the rig was told that a snapshot is finished. */
export function isRead(rig: SourceRig<CdcPosition>): () => boolean {
  return () => rig.events.some((event) => event.code === 'snapshot-finished')
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** Asks until the answer is not empty. */
export async function until(ask: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS
  while (!(await ask())) {
    if (Date.now() > deadline) throw new UsageError(`it did not come true: ${ask}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
