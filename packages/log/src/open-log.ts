import { resolve } from 'node:path'
import { pid } from 'node:process'
import { fileURLToPath } from 'node:url'
import { type Broker, startBroker } from './broker/broker.ts'
import { type BrokerConfig, defaultBrokerConfig } from './broker/broker-config.ts'
import type { PartitionCompaction } from './broker/cleaner-job.ts'
import type { BrokerEvent, OnBrokerEvent } from './broker/event.ts'
import { Admin } from './client/admin/admin.ts'
import { type ClientContext, createClientContext } from './client/client-context.ts'
import { Consumer } from './client/consumer/consumer.ts'
import type { ConsumerOptions } from './client/consumer/consumer-options.ts'
import { Producer } from './client/producer/producer.ts'
import type { ProducerOptions } from './client/producer/producer-options.ts'
import type { Environment } from './environment/environment.ts'
import { memoryEnvironment } from './environment/memory-environment.ts'
import { realEnvironment } from './environment/real-environment.ts'
import { UsageError } from './errors.ts'
import { encodingInProcess } from './transport/encoding-in-process.ts'
import { InProcessTransport } from './transport/in-process.ts'
import type { Transport } from './transport/transport.ts'

/** Address that an embedded broker names in its answers; nobody listens there. */
const EMBEDDED_ADDRESS = { host: 'localhost', port: 9092 }
/** Directory of a log in memory, within a file system of its own. */
const MEMORY_DIRECTORY = '/log'

/** An open log: where it is, and the clients to work with it. */
export interface Log {
  /** What it was opened by, with the path made absolute: `file:/abs/dir` or `memory:`. */
  readonly url: string
  /** Base64url uuid. The same for as long as the directory lives. */
  readonly clusterId: string
  readonly environment: Environment
  /** The log directory of a `file:` log, below whose `state` folder stream programs keep theirs; undefined elsewhere. */
  readonly directory: string | undefined
  producer(options?: ProducerOptions): Producer
  consumer(options?: ConsumerOptions): Consumer
  admin(): Admin
  /** How compaction of each partition of an embedded log stands: what waits, the last run. */
  compaction(): readonly PartitionCompaction[]
  /**
   * Closes an embedded broker: what waits is answered, what was acknowledged is on the disk, the lock is given back. Close producers and
   * consumers first; those that are left find their broker gone. Closing twice does nothing.
   */
  close(): Promise<void>
}

/** Everything about how to open a log. */
export interface OpenLogOptions {
  /** Directory of an embedded log; made if it is missing. A log in memory when absent. */
  readonly dir?: string
  /** The world to run in. Default: the real one, with files in memory when there is no `dir`. */
  readonly environment?: Environment
  /**
   * When a record is acknowledged: `always` (default) after an fdatasync that covers it, so that it survives a power loss; `os` once the
   * operating system has it, as in Kafka, so that it survives the process.
   */
  readonly fsync?: 'always' | 'os'
  /** Configuration of the embedded broker, over its defaults. */
  readonly broker?: Partial<Omit<BrokerConfig, 'fsync' | 'brokerId'>>
  /**
   * Has every message between clients and the embedded broker encoded and decoded as over a network. It costs time and shows that a program
   * relies on nothing that the protocol could not carry.
   */
  readonly encodeMessages?: boolean
  /** Hears what the broker found: damaged files and what was done about them, runs of the cleaner, failed jobs. Default: a warning on the console. */
  readonly onEvent?: OnBrokerEvent
}

/**
 * Opens a log.
 *
 * ```ts
 * const log = await openLog('file:./data')  // on disk, in this process
 * const log = await openLog('memory:')      // the same, gone with the process
 * const log = await openLog({ dir: './data', fsync: 'os' })
 * ```
 * @throws UsageError for an address that names no log
 * @throws LockHeldError naming the process that has the directory open
 * @throws FormatVersionError when the directory has another version, or is none of ours
 * @throws FileSystemError when it cannot be read or written
 */
export async function openLog(where: string | OpenLogOptions): Promise<Log> {
  const options = typeof where === 'string' ? optionsOf(where) : where
  const inMemory = options.dir === undefined
  const environment = options.environment ?? (inMemory ? memoryEnvironment() : realEnvironment())
  const directory = options.dir === undefined ? MEMORY_DIRECTORY : resolve(options.dir)
  const broker = await startBroker({
    environment,
    directory,
    config: { ...defaultBrokerConfig, ...options.broker, fsync: options.fsync ?? defaultBrokerConfig.fsync },
    holder: `pid ${pid}`,
    advertised: EMBEDDED_ADDRESS,
    onEvent: options.onEvent ?? warn
  })
  const spokenTo = options.encodeMessages ? encodingInProcess(broker) : broker
  const transport = new InProcessTransport(spokenTo, { timers: environment.timers, clientId: 'millrace' })
  return new EmbeddedLog({ broker, transport, environment, directory: inMemory ? undefined : directory })
}

function optionsOf(url: string): OpenLogOptions {
  if (url === 'memory:') return {}
  if (url.startsWith('file:')) {
    const path = url.startsWith('file://') ? fileURLToPath(url) : url.slice('file:'.length)
    if (path === '') throw new UsageError(`'${url}' names no directory: write 'file:./data'`)
    return { dir: path }
  }
  if (url.startsWith('kafka:')) {
    throw new UsageError(
      `'${url}': this version opens no log over the network yet; use 'file:<directory>' or 'memory:'`
    )
  }
  throw new UsageError(`'${url}' is no address of a log: write 'file:<directory>' or 'memory:'`)
}

function warn(event: BrokerEvent): void {
  if (event.kind !== 'compacted') console.warn(`millrace: ${describe(event)}`)
}

function describe(event: Exclude<BrokerEvent, { kind: 'compacted' }>): string {
  switch (event.kind) {
    case 'damage':
      return event.report.message
    case 'directory-failed':
    case 'uncleanable':
      return event.error.message
    case 'request-failed':
      return `a ${event.api} request failed: ${String(event.error)}`
    case 'job-failed':
      return `${event.job} failed: ${String(event.error)}`
    case 'stray-directory':
      return `${event.path} belongs to no topic and was moved to ${event.movedTo}`
  }
}

interface EmbeddedLogParts {
  readonly broker: Broker
  readonly transport: Transport
  readonly environment: Environment
  readonly directory: string | undefined
}

class EmbeddedLog implements Log {
  readonly url: string
  readonly clusterId: string
  readonly environment: Environment
  readonly directory: string | undefined
  readonly #broker: Broker
  readonly #transport: Transport
  readonly #context: ClientContext

  constructor(parts: EmbeddedLogParts) {
    const { broker, transport, environment, directory } = parts
    this.url = directory === undefined ? 'memory:' : `file:${directory}`
    this.clusterId = broker.clusterId
    this.environment = environment
    this.directory = directory
    this.#broker = broker
    this.#transport = transport
    this.#context = createClientContext(transport, environment)
  }

  producer(options?: ProducerOptions): Producer {
    return new Producer(this.#context, options)
  }

  consumer(options?: ConsumerOptions): Consumer {
    return new Consumer(this.#context, options)
  }

  admin(): Admin {
    return new Admin(this.#context)
  }

  compaction(): readonly PartitionCompaction[] {
    return this.#broker.compaction()
  }

  async close(): Promise<void> {
    await this.#broker.close()
    await this.#transport.close()
  }
}
