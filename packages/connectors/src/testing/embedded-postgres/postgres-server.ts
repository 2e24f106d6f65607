import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '@millrace/log'
import { type PostgresBinaries, postgresBinaries } from './binaries.ts'
import { createDataDirectory, unprivileged } from './data-directory.ts'

/** How to start a server. */
export interface PostgresServerOptions {
  /** Major version; 18 by default. */
  readonly version?: number
  /** Server settings (`-c name=value`) besides those of {@link DEFAULT_SETTINGS}. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Lines of `pg_hba.conf`; everybody is trusted by default. */
  readonly hba?: readonly string[]
}

const DEFAULT_SETTINGS: Readonly<Record<string, string | number>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  fsync: 'off',
  max_replication_slots: 20,
  max_wal_senders: 20,
  max_connections: 100,
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  autovacuum_naptime: '5s'
}
const START_TIMEOUT_MS = 60_000
const START_ATTEMPTS = 5
const RETRY_MS = 100
/** Below what systems give to whoever asks for any port, so that nobody is given it while the server is down. */
const PORTS = { from: 20_000, to: 32_000 }
/** What passes when the processes of a server that was killed have noticed it. */
const STILL_HELD = /pre-existing shared memory block|could not bind|Address already in use/
/** Clients that come while it recovers are refused with a FATAL of their own. */
const REFUSED_START = /FATAL:(?! +the database system is )/

/**
 * Keeps the server only as long as its standard input is open, so that no server outlives the process that started it, even one that was
 * killed.
 */
const WATCHED =
  'exec 3<&0; "$@" 3<&- & child=$!; { read -r line <&3; kill -QUIT $child; } & reader=$!; wait $child; kill $reader'

/** Starts a PostgreSQL of its own with an empty data directory on a free port of the loopback interface. */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const binaries = postgresBinaries(options.version ?? 18)
  const server = new PostgresServer(binaries, options)
  await server.start()
  return server
}

/** A running PostgreSQL for tests. User `postgres`, no password. */
export class PostgresServer {
  /** Where its files are; gone after `stop`. */
  readonly dataDirectory: string
  readonly version: number
  readonly #binaries: PostgresBinaries
  readonly #settings: Record<string, string | number>
  #port = 0
  #watcher: ChildProcess | undefined
  #databases = 0
  #pid = 0
  readonly #atExit = () => this.#remove()

  constructor(binaries: PostgresBinaries, options: PostgresServerOptions) {
    this.#binaries = binaries
    this.version = binaries.version
    this.dataDirectory = createDataDirectory(binaries)
    this.#settings = { ...DEFAULT_SETTINGS, ...options.settings }
    if (options.hba) writeFileSync(join(this.dataDirectory, 'pg_hba.conf'), `${options.hba.join('\n')}\n`)
    process.once('exit', this.#atExit)
  }

  /** The same through all restarts. */
  get port(): number {
    return this.#port
  }

  /** Connection string of the database `postgres`. */
  get url(): string {
    return this.databaseUrl('postgres')
  }

  /** Connection string of a database. */
  databaseUrl(database: string, user = 'postgres'): string {
    return `postgres://${user}@127.0.0.1:${this.#port}/${database}`
  }

  /** Makes an empty database (by default with a name of its own) and returns its connection string. */
  async createDatabase(name = `test_${++this.#databases}`): Promise<string> {
    const { default: pg } = await import('pg')
    const client = new pg.Client({ connectionString: this.url })
    await client.connect()
    try {
      await client.query(`create database "${name}"`)
    } finally {
      await client.end()
    }
    return this.databaseUrl(name)
  }

  /** Starts it, again after a `kill` or a `shutDown`. Settings given here stay for later starts. */
  async start(settings: Readonly<Record<string, string | number>> = {}): Promise<void> {
    if (this.#watcher) throw new UsageError(`the PostgreSQL on port ${this.#port} is running`)
    Object.assign(this.#settings, settings)
    const isFirst = this.#port === 0
    const deadline = Date.now() + START_TIMEOUT_MS
    for (let attempt = 1; ; attempt++) {
      if (this.#port === 0) this.#port = await freePort()
      if (await this.#startOnce()) return
      const isHeld = STILL_HELD.test(this.log()) && Date.now() < deadline
      if (!isHeld && attempt >= START_ATTEMPTS) throw new UsageError(`PostgreSQL does not start:\n${this.log()}`)
      // Somebody was quicker. Who knows the port already counts on it.
      if (isFirst && this.log().includes('could not bind')) this.#port = 0
      await sleep(RETRY_MS)
    }
  }

  /** An orderly restart, with changed settings if given; connections are cut (57P01). */
  async restart(settings: Readonly<Record<string, string | number>> = {}): Promise<void> {
    await this.shutDown()
    await this.start(settings)
  }

  /** Stops the server in order and keeps its data. */
  async shutDown(): Promise<void> {
    await this.kill('SIGINT')
  }

  /** Sends the signal to the server and waits for its end. After SIGKILL nothing was written that the operating system had not been given. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const watcher = this.#watcher
    if (!watcher) return
    const ended = new Promise<void>((resolve) => watcher.once('exit', () => resolve()))
    watcher.ref()
    if (isAlive(this.#pid)) process.kill(this.#pid, signal)
    if (watcher.exitCode === null && watcher.signalCode === null) await ended
    this.#watcher = undefined
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.kill('SIGQUIT')
    process.removeListener('exit', this.#atExit)
    rmSync(this.dataDirectory, { recursive: true, force: true })
  }

  /** What the server has written to its log. */
  log(): string {
    const path = join(this.dataDirectory, 'server.log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  async #startOnce(): Promise<boolean> {
    rmSync(join(this.dataDirectory, 'server.log'), { force: true })
    rmSync(join(this.dataDirectory, 'postmaster.pid'), { force: true })
    const settings = Object.entries({ ...this.#settings, port: this.#port }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`
    ])
    const command = [this.#binaries.postgres, '-D', this.dataDirectory, ...settings]
    const script = `exec 2>'${join(this.dataDirectory, 'server.log')}'; ${WATCHED}`
    const watcher = spawn('/bin/sh', ['-c', script, 'sh', ...command], {
      ...unprivileged(),
      cwd: this.dataDirectory,
      // A terminal's Ctrl-C is the program's to deal with: it may want to end what it does with the server first.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore']
    })
    watcher.unref()
    const deadline = Date.now() + START_TIMEOUT_MS
    while (Date.now() < deadline) {
      if (this.#isReady()) {
        this.#watcher = watcher
        return true
      }
      if (REFUSED_START.test(this.log())) break
      await sleep(5)
    }
    watcher.stdin?.end()
    return false
  }

  /** The server writes its state to the last line of its pid file, as `pg_ctl` reads it. */
  #isReady(): boolean {
    const path = join(this.dataDirectory, 'postmaster.pid')
    if (!existsSync(path)) return false
    const lines = readFileSync(path, 'utf8').split('\n')
    if (lines[7]?.trim() !== 'ready') return false
    this.#pid = Number(lines[0])
    return true
  }

  #remove(): void {
    if (this.#watcher && this.#pid > 0 && isAlive(this.#pid)) process.kill(this.#pid, 'SIGQUIT')
    rmSync(this.dataDirectory, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to)
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false))
      server.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise((resolve) => server.close(resolve))
    return port
  }
}
