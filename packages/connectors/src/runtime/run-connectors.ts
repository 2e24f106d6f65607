import { type Listener, type Log, type OpenLogOptions, openLog, UsageError } from '@millrace/log'
import { ConnectorConfigs, type ConnectorDescription } from './configs.ts'
import {
  type Connector,
  connectorName,
  isSourceConnector,
  type SinkConnector,
  sinkSettings,
  sourceSettings,
  supervisionSettings
} from './connector.ts'
import { listenForControl } from './control/control-socket.ts'
import { register, runningOn } from './control/registry.ts'
import { UnknownConnectorError } from './errors.ts'
import { messageOf } from './failure.ts'
import type { Life } from './life.ts'
import { transactionalId } from './names.ts'
import type { OffsetEdit } from './offset-edits.ts'
import { runSink } from './run-sink.ts'
import { runSource } from './run-source.ts'
import type { RunningConnector } from './running-connector.ts'
import { StatusBoard, statusOf } from './status-board.ts'
import type { ConnectorTrace } from './steps.ts'
import { type LifePart, SupervisedConnector } from './supervised-connector.ts'

/** What to run, and where. */
export interface RunConnectorsOptions {
  /** A URL, options, or an open log, which stays the caller's to close. */
  readonly log: string | OpenLogOptions | Log
  readonly connectors: readonly Connector[]
  /** Where state of sources is kept on this machine. Default: `state` below the log's directory; in memory without one. */
  readonly stateDirectory?: string
  /**
   * Whether other processes, as the command line tool, can see and steer the connectors through a socket in the log's directory. Default: where the
   * log has one.
   */
  readonly control?: boolean
  /** Told of each step of each run, and waited for: for tests that end a run there. */
  readonly trace?: ConnectorTrace
}

/** Running connectors. */
export interface ConnectorsApp {
  readonly connectors: readonly RunningConnector[]
  /** @throws UnknownConnectorError */
  connector(name: string): RunningConnector
  /** Settled when each connector has come to rest: resolves when none of them failed. @throws ConnectorFailedError of the first that did. */
  readonly done: Promise<void>
  /** Ends what is under way, and lets go. Never throws for a connector's failure: `state$` has told. */
  close(): Promise<void>
}

const NAME = /^[a-zA-Z0-9._-]{1,200}$/

/**
 * Runs connectors, each on its own: one that fails keeps no other from going on. Resolves when they have begun; their `state$` says how they are.
 *
 * ```ts
 * const app = await runConnectors({
 *   log: 'file:./data',
 *   connectors: [{ source: orders }, { sink: warehouse, topics: ['orders'], onError: deadLetter('orders-dlq') }]
 * })
 * app.connector('orders').state$.subscribe(console.log)
 * ```
 * @throws UsageError, DurationError for options that cannot be meant; what opening the log throws.
 */
export async function runConnectors(options: RunConnectorsOptions): Promise<ConnectorsApp> {
  checkConnectors(options.connectors)
  const borrowed = isLog(options.log)
  const log = isLog(options.log) ? options.log : await openLog(options.log)
  try {
    const configs = await ConnectorConfigs.open(log)
    const board = await StatusBoard.open(log)
    return await RunningApp.start({ log, ownsLog: !borrowed, configs, board, options })
  } catch (error) {
    if (!borrowed) await log.close()
    throw error
  }
}

function checkConnectors(connectors: readonly Connector[]): void {
  const names = new Set<string>()
  for (const connector of connectors) {
    const name = connectorName(connector)
    if (!NAME.test(name)) {
      throw new UsageError(`'${name}' cannot name a connector: use letters, digits, dots, underscores and hyphens`)
    }
    if (names.has(name)) throw new UsageError(`two connectors are named ${name}: names tell their offsets apart`)
    names.add(name)
    supervisionSettings(connector)
    if (isSourceConnector(connector)) sourceSettings(connector)
    else checkSink(connector, name)
  }
}

/** A sink that read its own dead letters would put the same ones aside for ever. */
function checkSink(connector: SinkConnector, name: string): void {
  const { onError } = sinkSettings(connector)
  if (Array.isArray(connector.topics) && connector.topics.length === 0) {
    throw new UsageError(`sink ${name} has no topics to read: name one`)
  }
  if (onError.kind === 'dead-letter' && Array.isArray(connector.topics) && connector.topics.includes(onError.topic)) {
    throw new UsageError(`sink ${name} would read its own dead letters: ${onError.topic} is among its topics`)
  }
}

function isLog(where: RunConnectorsOptions['log']): where is Log {
  return typeof where === 'object' && 'producer' in where && typeof where.producer === 'function'
}

interface AppParts {
  readonly log: Log
  readonly ownsLog: boolean
  readonly configs: ConnectorConfigs
  readonly board: StatusBoard
  readonly options: RunConnectorsOptions
}

class RunningApp implements ConnectorsApp {
  readonly connectors: readonly SupervisedConnector[]
  readonly #parts: AppParts
  readonly #worker: string
  #closed: Promise<void> | undefined
  readonly #unregister: (() => void)[] = []
  #control: Listener | undefined

  private constructor(parts: AppParts) {
    const { log, options } = parts
    this.#parts = parts
    this.#worker = log.environment.random.bytes(6).toString('hex')
    this.connectors = options.connectors.map((connector) => this.#start(connector))
  }

  static async start(parts: AppParts): Promise<RunningApp> {
    const { configs, options } = parts
    for (const connector of options.connectors) {
      await configs.describe(connectorName(connector), descriptionOf(connector))
    }
    const app = new RunningApp(parts)
    configs.follow((name, what) => {
      if (what === 'target') app.#find(name)?.obey(configs.of(name).target)
    })
    await app.#listen()
    return app
  }

  get done(): Promise<void> {
    const all = this.connectors.map((connector) => connector.done)
    return Promise.allSettled(all).then(async () => {
      await Promise.all(all)
    })
  }

  connector(name: string): RunningConnector {
    const found = this.#find(name)
    if (found !== undefined) return found
    throw new UnknownConnectorError(
      name,
      this.connectors.map((one) => one.name)
    )
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    const { configs, board, log, ownsLog } = this.#parts
    for (const unregister of this.#unregister) unregister()
    await this.#control?.close()
    await Promise.all(this.connectors.map((connector) => connector.close()))
    await configs.close()
    await board.close()
    if (ownsLog) await log.close()
  }

  /** One socket a log: where several applications share it, the first has it, and answers for all. */
  async #listen(): Promise<void> {
    const { log, options } = this.#parts
    const first = runningOn(log).length === 0
    for (const connector of this.connectors) this.#unregister.push(register(log, connector))
    const { directory } = log
    if (directory === undefined || options.control === false || !first) return
    try {
      this.#control = await listenForControl(log, directory)
    } catch (error) {
      for (const connector of this.connectors) {
        connector.tell({ level: 'warning', code: 'no-control-socket', message: messageOf(error) })
      }
    }
  }

  #find(name: string): SupervisedConnector | undefined {
    return this.connectors.find((one) => one.name === name)
  }

  #start(connector: Connector): SupervisedConnector {
    const { log, configs, board } = this.#parts
    const name = connectorName(connector)
    const type = isSourceConnector(connector) ? 'source' : 'sink'
    const supervised = new SupervisedConnector({
      name,
      type,
      environment: log.environment,
      settings: supervisionSettings(connector),
      configs,
      live: (part) => {
        const life = this.#life(name, part)
        return isSourceConnector(connector)
          ? runSource(connector, life)
          : runSink(connector, life, async () => pendingEdit(connector, { log, configs }))
      }
    })
    supervised.state$.subscribe(() => {
      const who = { name, type, worker: this.#worker } as const
      board.post(statusOf(who, supervised.health(), log.environment.clock.nowMs()))
    })
    return supervised
  }

  #life(name: string, part: LifePart): Life {
    const { log, options } = this.#parts
    const root = options.stateDirectory ?? (log.directory === undefined ? undefined : `${log.directory}/state`)
    return {
      ...part,
      name,
      log,
      environment: log.environment,
      stateDirectory: root === undefined ? undefined : `${root}/${log.clusterId}/${transactionalId(name)}`,
      step: (step) => options.trace?.(step, name)
    }
  }
}

function descriptionOf(connector: Connector): ConnectorDescription {
  const { onError } = connector
  const deadLetters = onError?.kind === 'dead-letter' ? { deadLetters: onError.topic } : {}
  if (isSourceConnector(connector)) return { type: 'source', ...deadLetters }
  const { topics, sink } = connector
  const read = topics instanceof RegExp ? String(topics) : topics
  return { type: 'sink', delivery: sink.delivery, topics: read, ...deadLetters }
}

/** Read anew: another runner may have made the edit of a partition that this one has now. */
async function pendingEdit(
  { sink }: SinkConnector,
  { log, configs }: Pick<AppParts, 'log' | 'configs'>
): Promise<OffsetEdit | undefined> {
  if (sink.delivery !== 'transactional') return undefined
  const now = await ConnectorConfigs.open(log)
  await now.close()
  const offsets = now.of(sink.name).edit
  return offsets.length === 0 ? undefined : { offsets, done: (moved) => configs.clearEdit(sink.name, moved) }
}
