import { type Timers, UsageError } from '@millrace/log'
import type {
  PostgresClient,
  PostgresClientSettings,
  PostgresConnection,
  PostgresQuery,
  PostgresResult
} from '../driver.ts'
import { toSourceError } from './errors.ts'

/** The npm module `pg`, as far as change data capture uses it. */
export interface PostgresCdcDriver {
  readonly Client: new (settings: CdcClientSettings) => CdcClient
}

/** Settings of a connection, of the replication protocol if it says so. */
export interface CdcClientSettings extends PostgresClientSettings {
  readonly replication?: 'database'
}

/** One connection of `pg` that also runs statements which read the protocol themselves. */
export interface CdcClient extends PostgresClient {
  query(query: PostgresQuery): Promise<PostgresResult>
  query(statement: ProtocolStatement): unknown
}

/** A statement that takes the server's messages as they come: `pg`'s interface for its own cursors. */
export interface ProtocolStatement {
  submit(connection: ProtocolConnection): void
  handleCopyData(message: { readonly chunk: Buffer }): void
  handleRowDescription(): void
  handleDataRow(message: { readonly fields: readonly (string | null)[] }): void
  handleCommandComplete(): void
  handleEmptyQuery(): void
  handlePortalSuspended(): void
  handleReadyForQuery(): void
  handleError(error: Error): void
}

/** What `pg` hands to such a statement. */
export interface ProtocolConnection {
  readonly stream: { pause(): unknown; resume(): unknown }
  query(text: string): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  once(event: 'replicationStart', listener: () => void): unknown
}

const CONNECT_TIMEOUT_MS = 15_000
const END_WAIT_MS = 1000

/** How values are written, whatever the server, the database or the user says. */
const PINNED = [
  'datestyle=ISO',
  'timezone=UTC',
  'intervalstyle=iso_8601',
  'extra_float_digits=1',
  'bytea_output=hex',
  'lc_monetary=C',
  'standard_conforming_strings=on',
  'search_path=pg_catalog',
  'row_security=off',
  'synchronous_commit=local',
  'statement_timeout=0',
  'lock_timeout=0',
  'idle_in_transaction_session_timeout=0'
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

/** Opens a connection under the pinned settings. */
export async function connectPostgres(
  driver: PostgresCdcDriver,
  connection: PostgresConnection,
  extra: { readonly name: string; readonly replication?: boolean; readonly onError: (error: Error) => void }
): Promise<CdcClient> {
  const client = new driver.Client({
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    ...settingsOf(connection),
    application_name: extra.name,
    keepAlive: true,
    ...(extra.replication ? { replication: 'database' } : {})
  })
  client.on('error', extra.onError)
  try {
    await client.connect()
  } catch (error) {
    throw toSourceError(error, `cannot connect to PostgreSQL at ${placeOf(connection)}`)
  }
  return client
}

/** Ends a connection in order, and waits for that, but not for long: the other side may have gone without a word. Never rejects. */
export async function endConnection(client: Pick<PostgresClient, 'end'>, timers: Timers): Promise<void> {
  await beforeLong(
    client.end().catch(() => undefined),
    timers
  )
}

/** Waits for something that ends a connection's use, at most for a second. */
export async function beforeLong(ending: Promise<unknown>, timers: Timers): Promise<void> {
  const late = Promise.withResolvers<void>()
  const timer = timers.set(END_WAIT_MS, () => late.resolve())
  await Promise.race([ending, late.promise])
  timer.cancel()
}

function settingsOf(connection: PostgresConnection): CdcClientSettings {
  const settings = typeof connection === 'string' ? { connectionString: connection } : connection
  if (settings.connectionString === undefined) return { ...settings, options: withPinned(settings.options) }
  const url = parsedUrl(settings.connectionString)
  // The driver prefers what the URL says: ours is added there.
  url.searchParams.set('options', withPinned(url.searchParams.get('options') ?? settings.options))
  url.searchParams.delete('application_name')
  return { ...settings, connectionString: url.href.replaceAll('+', '%20') }
}

function withPinned(options: string | undefined): string {
  return options ? `${options} ${PINNED}` : PINNED
}

function parsedUrl(text: string): URL {
  try {
    return new URL(text)
  } catch (cause) {
    throw new UsageError('the connection of a PostgreSQL source is no URL (postgres://user@host:port/database)', {
      cause
    })
  }
}

/** Host, port and database for messages, without the password. */
export function placeOf(connection: PostgresConnection): string {
  const settings = typeof connection === 'string' ? { connectionString: connection } : connection
  if (settings.connectionString === undefined) {
    return `${settings.host ?? 'localhost'}:${settings.port ?? 5432}/${settings.database ?? ''}`
  }
  const url = parsedUrl(settings.connectionString)
  return `${url.host}${url.pathname}`
}

/** An identifier in double quotes. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A string in single quotes. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** A connection that several may use: one statement at a time. */
export function serialClient(client: PostgresClient): PostgresClient {
  let last: Promise<unknown> = Promise.resolve()
  return {
    connect: () => client.connect(),
    end: () => client.end(),
    on: (event, listener) => client.on(event, listener),
    query: (query) => {
      const result = last.then(() => client.query(query))
      last = result.catch(() => undefined)
      return result
    }
  }
}
