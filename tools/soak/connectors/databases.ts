import { type PostgresServer, startPostgres } from '@millrace/connectors/testing/postgres'
import { withClient } from './compare.ts'
import { FIRST_ROWS, SOURCE_SCHEMA, TARGET_SCHEMA } from './shop.ts'

/** Two servers: the one that is captured, and the one that is written to. */
export interface Databases {
  readonly source: PostgresServer
  readonly target: PostgresServer
  readonly sourceUrl: string
  readonly targetUrl: string
  stop(): Promise<void>
}

/** Starts both and fills the source with its first rows. */
export async function startDatabases(): Promise<Databases> {
  const source = await startPostgres({ settings: { logical_decoding_work_mem: '1MB' } })
  const target = await startPostgres()
  const sourceUrl = await source.createDatabase('shop')
  const targetUrl = await target.createDatabase('warehouse')
  await withClient(sourceUrl, (client) => client.query(`${SOURCE_SCHEMA}; ${FIRST_ROWS}`))
  await withClient(targetUrl, (client) => client.query(TARGET_SCHEMA))
  return {
    source,
    target,
    sourceUrl,
    targetUrl,
    stop: async () => {
      await Promise.all([source.stop(), target.stop()])
    }
  }
}

/** Cuts all connections to the database but the one that asks. */
export async function cutConnections(url: string): Promise<void> {
  await withClient(url, (client) =>
    client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()'
    )
  )
}
