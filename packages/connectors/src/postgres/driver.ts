/** The npm module `pg` (8 or newer), as far as it is used: the program gives it, so that no version of it is forced on anybody. */
export interface PostgresDriver {
  readonly Client: new (settings: PostgresClientSettings) => PostgresClient
}

/** One connection of `pg`. */
export interface PostgresClient {
  connect(): Promise<unknown>
  query(query: PostgresQuery): Promise<PostgresResult>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A statement; one with a name is prepared once on its connection. */
export interface PostgresQuery {
  readonly text: string
  readonly name?: string
  readonly values?: unknown[]
}

/** What a statement gave. */
export interface PostgresResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[]
  readonly rowCount: number | null
}

/** Where to connect: `postgres://user:password@host:port/database`, or `pg`'s own settings. */
export type PostgresConnection = string | PostgresClientSettings

/** `pg`'s settings of a connection, handed on as they are. */
export interface PostgresClientSettings {
  readonly connectionString?: string
  readonly host?: string
  readonly port?: number
  readonly user?: string
  readonly password?: string | (() => string | Promise<string>)
  readonly database?: string
  readonly ssl?: boolean | object
  readonly options?: string
  readonly application_name?: string
  readonly keepAlive?: boolean
  readonly connectionTimeoutMillis?: number
  readonly statement_timeout?: number
}
