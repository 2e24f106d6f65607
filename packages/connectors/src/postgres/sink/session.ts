import { TransientSinkError } from '../../errors.ts'
import type { PostgresClient, PostgresConnection, PostgresDriver, PostgresQuery, PostgresResult } from '../driver.ts'

/** How values are read and written, whatever the database's own settings are. */
const SESSION_SETTINGS = '-c datestyle=ISO -c timezone=UTC -c intervalstyle=postgres -c standard_conforming_strings=on'

/** A connection that is made when it is needed, again after it broke. */
export class PostgresSession {
  readonly #driver: PostgresDriver
  readonly #connection: PostgresConnection
  readonly #onBreak: () => void
  #client: PostgresClient | undefined
  /** The connection whose transaction is open: what belongs to it must not be done on another. */
  #inTransaction: PostgresClient | undefined
  #statements = new Map<string, string>()

  /** @param onBreak called when a connection is given up: what was learnt through it may have changed. */
  constructor(driver: PostgresDriver, connection: PostgresConnection, onBreak: () => void) {
    this.#driver = driver
    this.#connection = connection
    this.#onBreak = onBreak
  }

  /** Runs one statement; prepared under a name of its own when it has values. With a connection, it is on its way when this returns. */
  query(text: string, values?: unknown[]): Promise<PostgresResult> {
    const query = (client: PostgresClient) =>
      client.query(values === undefined ? { text } : this.#prepared(text, values))
    if (this.#inTransaction !== undefined && this.#inTransaction !== this.#client) {
      return Promise.reject(new TransientSinkError('the connection was lost in the middle of a transaction'))
    }
    return this.#client === undefined ? this.#connected().then(query) : query(this.#client)
  }

  /** Runs all of it or nothing. After an error the connection is given up, unless it can go on. */
  async transaction<T>(run: () => Promise<T>): Promise<T> {
    try {
      await this.query('BEGIN')
      this.#inTransaction = this.#client
      const result = await run()
      await this.query('COMMIT')
      return result
    } catch (error) {
      this.#inTransaction = undefined
      await this.#rollBack()
      this.#onBreak()
      throw error
    } finally {
      this.#inTransaction = undefined
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    // A connection that is broken already has nothing to say any more.
    await client?.end().catch(() => undefined)
  }

  async #rollBack(): Promise<void> {
    const client = this.#client
    if (client === undefined) return
    try {
      await client.query({ text: 'ROLLBACK' })
    } catch {
      await this.close()
    }
  }

  async #connected(): Promise<PostgresClient> {
    const client = new this.#driver.Client(settingsOf(this.#connection))
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined
    })
    this.#statements = new Map()
    try {
      await client.connect()
    } catch (error) {
      await client.end().catch(() => undefined)
      throw error
    }
    this.#client = client
    return client
  }

  #prepared(text: string, values: unknown[]): PostgresQuery {
    const name = this.#statements.get(text) ?? `millrace_${this.#statements.size}`
    this.#statements.set(text, name)
    return { name, text, values }
  }
}

function settingsOf(connection: PostgresConnection) {
  const settings = typeof connection === 'string' ? { connectionString: connection } : connection
  const options = settings.options === undefined ? SESSION_SETTINGS : `${SESSION_SETTINGS} ${settings.options}`
  return { application_name: 'millrace', keepAlive: true, ...settings, options }
}
