import { setTimeout as sleep } from 'node:timers/promises'
import { missingPostgres, startPostgres } from '@millrace/connectors/testing/postgres'
import { MillraceError } from '@millrace/log'
import pg from 'pg'

const SLOT_LIMIT_MS = 10_000
const SLOT_RETRY_MS = 20

/** There is no PostgreSQL to work with; the message says how to get one. */
export class NoPostgresError extends MillraceError {
  readonly code = 'EXAMPLE_NO_POSTGRES'
}

/** A database that an example works with. */
export interface ExampleDatabase {
  /** Connection string. */
  readonly url: string
  readonly client: pg.Client
  /** Whose it is, for people. */
  readonly description: string
  /** Takes what the example made away: its slot, its publication, its schema; all of it when the server is its own. */
  close(): Promise<void>
}

/** What an example makes in the database. Source, slot, publication and schema are named alike. */
export interface Footprint {
  readonly source: string
  readonly schema: string
  /** Makes the tables. */
  readonly tables: string
}

/**
 * The database of that URL, or one of a server of our own, which is started from npm and is gone at the end.
 * @throws NoPostgresError
 */
export async function openDatabase(connection: string | undefined, footprint: Footprint): Promise<ExampleDatabase> {
  if (connection !== undefined) {
    const client = await connect(connection)
    // What a run that was killed has left: a slot that nobody reads makes the server keep its log for ever.
    await removeFootprint(client, footprint)
    await makeTables(client, footprint)
    const close = async () => {
      await removeFootprint(client, footprint)
      await client.end()
    }
    return { url: connection, client, description: `your PostgreSQL, schema ${footprint.schema}`, close }
  }
  const missing = missingPostgres()
  if (missing !== undefined) {
    throw new NoPostgresError(
      `${missing}; or give one of your own: --connection postgres://user:password@host/database`
    )
  }
  const server = await startPostgres()
  const url = await server.createDatabase('example')
  const client = await connect(url)
  await makeTables(client, footprint)
  const close = async () => {
    await client.end()
    await server.stop()
  }
  return { url, client, description: `a PostgreSQL ${server.version} of its own, port ${server.port}`, close }
}

async function connect(url: string): Promise<pg.Client> {
  try {
    const client = new pg.Client({ connectionString: url })
    client.on('error', () => undefined)
    await client.connect()
    return client
  } catch (cause) {
    const message = cause instanceof AggregateError ? cause.errors.map(String).join(', ') : String(cause)
    throw new NoPostgresError(`cannot connect with --connection: ${message}`, { cause })
  }
}

async function makeTables(client: pg.Client, { schema, tables }: Footprint): Promise<void> {
  await client.query(`CREATE SCHEMA ${schema}; SET search_path = ${schema}; ${tables}`)
}

async function removeFootprint(client: pg.Client, { source, schema }: Footprint): Promise<void> {
  const slot = `millrace_${source}`
  const deadlineMs = performance.now() + SLOT_LIMIT_MS
  // The server may need a moment to see that its reader is gone.
  while ((await client.query('SELECT FROM pg_replication_slots WHERE slot_name = $1', [slot])).rowCount !== 0) {
    if (performance.now() > deadlineMs)
      throw new NoPostgresError(`slot ${slot} is read by another process: end that first`)
    await client.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 AND NOT active',
      [slot]
    )
    await sleep(SLOT_RETRY_MS)
  }
  await client.query(`DROP PUBLICATION IF EXISTS ${slot}; DROP SCHEMA IF EXISTS ${schema} CASCADE`)
}
