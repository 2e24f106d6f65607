import type { Log } from '@millrace/log'
import { ConnectorConfigs } from '../configs.ts'
import type { TargetState } from '../connector-state.ts'
import {
  ConnectorNotRunningError,
  ConnectorRunningError,
  NoDeadLetterTopicError,
  UnknownConnectorError
} from '../errors.ts'
import type { RunningConnector } from '../running-connector.ts'
import { type ConnectorStatus, readStatuses, statusOf } from '../status-board.ts'
import {
  type DeadLetterPage,
  type DeadLetterQuery,
  type LetterBox,
  listDeadLetters,
  replayDeadLetters
} from './dead-letter-queue.ts'
import { editOffsets, listOffsets, type OffsetChange, type OffsetListing } from './offsets.ts'
import { runningOn } from './registry.ts'

/** What is known of a connector from outside. */
export interface ConnectorInfo extends ConnectorStatus {
  /** What an operator wants of it. */
  readonly target: TargetState
}

/** Sees and steers the connectors of a log, running in this process or not running at all. */
export interface ConnectorsControl {
  /** Every connector that ever ran on this log. */
  list(): Promise<readonly ConnectorInfo[]>
  /** @throws UnknownConnectorError, as all that follow */
  status(name: string): Promise<ConnectorInfo>
  /** Wants that nothing moves. Written to the log: it holds for runs to come too, as do the next two. */
  pause(name: string): Promise<void>
  /** Wants that it goes on, after `pause` or `stop`. */
  resume(name: string): Promise<void>
  /** Wants that it gives its resources back, so that its offsets may be edited. */
  stop(name: string): Promise<void>
  /** Begins a new life from what was committed. @throws ConnectorNotRunningError when it does not run in this process. */
  restart(name: string): Promise<void>
  /** What was committed: of a source its positions by split, of a sink its offsets by partition. */
  offsets(name: string): Promise<OffsetListing>
  /** Moves or removes what was committed. @throws ConnectorRunningError unless it is stopped; OffsetEditError, PositionError */
  editOffsets(name: string, changes: readonly OffsetChange[]): Promise<void>
  /** Records that were put aside, with why: a page of them. @throws NoDeadLetterTopicError */
  deadLetters(name: string, query?: DeadLetterQuery): Promise<DeadLetterPage>
  /** Sends those back that were not yet. @returns how many. @throws NoDeadLetterTopicError */
  replay(name: string): Promise<number>
}

/** The control of an open log. */
export function connectorsControl(log: Log): ConnectorsControl {
  return new LogControl(log)
}

class LogControl implements ConnectorsControl {
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  list(): Promise<readonly ConnectorInfo[]> {
    return this.#withConfigs(async (configs) => {
      const statuses = await readStatuses(this.#log)
      return configs.names().map((name) => this.#infoOf(name, configs, statuses))
    })
  }

  status(name: string): Promise<ConnectorInfo> {
    return this.#known(name, async (configs) => this.#infoOf(name, configs, await readStatuses(this.#log)))
  }

  pause(name: string): Promise<void> {
    return this.#want(name, 'PAUSED', (connector) => connector.pause())
  }

  resume(name: string): Promise<void> {
    return this.#want(name, 'STARTED', (connector) => connector.resume())
  }

  stop(name: string): Promise<void> {
    return this.#want(name, 'STOPPED', (connector) => connector.stop())
  }

  restart(name: string): Promise<void> {
    return this.#known(name, async () => {
      const running = this.#running(name)
      if (running.length === 0) throw new ConnectorNotRunningError(name)
      await Promise.all(running.map((connector) => connector.restart()))
    })
  }

  offsets(name: string): Promise<OffsetListing> {
    return this.#known(name, (configs) => listOffsets(this.#log, name, configs.of(name)))
  }

  editOffsets(name: string, changes: readonly OffsetChange[]): Promise<void> {
    return this.#known(name, async (configs) => {
      const busy = this.#running(name).find(({ state }) => state.status !== 'stopped')
      if (busy !== undefined) throw new ConnectorRunningError(name, busy.state.status)
      await editOffsets(this.#log, name, { configs, changes })
    })
  }

  deadLetters(name: string, query: DeadLetterQuery = {}): Promise<DeadLetterPage> {
    return this.#known(name, (configs) => listDeadLetters(this.#log, boxOf(name, configs), query))
  }

  replay(name: string): Promise<number> {
    return this.#known(name, (configs) => replayDeadLetters(this.#log, boxOf(name, configs)))
  }

  #running(name: string): readonly RunningConnector[] {
    return runningOn(this.#log).filter((connector) => connector.name === name)
  }

  #want(name: string, target: TargetState, act: (connector: RunningConnector) => Promise<void>): Promise<void> {
    return this.#known(name, async (configs) => {
      const running = this.#running(name)
      if (running.length === 0) await configs.setTarget(name, target)
      await Promise.all(running.map(act))
    })
  }

  #infoOf(name: string, configs: ConnectorConfigs, statuses: ReadonlyMap<string, ConnectorStatus>): ConnectorInfo {
    const { target, description } = configs.of(name)
    const type = description?.type ?? 'source'
    const [running] = this.#running(name)
    const last = statuses.get(name)
    if (running !== undefined) {
      const who = { name, type, worker: last?.worker ?? '' }
      return { ...statusOf(who, running.health(), this.#log.environment.clock.nowMs()), target }
    }
    // Whatever its last runner has said of itself, it does not run.
    const state = last?.state === 'FAILED' ? 'FAILED' : 'UNASSIGNED'
    return { name, type, worker: '', atMs: 0, ...last, state, target }
  }

  #known<T>(name: string, act: (configs: ConnectorConfigs) => Promise<T>): Promise<T> {
    return this.#withConfigs((configs) => {
      const known = configs.names()
      if (!known.includes(name)) throw new UnknownConnectorError(name, known)
      return act(configs)
    })
  }

  async #withConfigs<T>(act: (configs: ConnectorConfigs) => Promise<T>): Promise<T> {
    const configs = await ConnectorConfigs.open(this.#log)
    try {
      return await act(configs)
    } finally {
      await configs.close()
    }
  }
}

function boxOf(name: string, configs: ConnectorConfigs): LetterBox {
  const topic = configs.of(name).description?.deadLetters
  if (topic === undefined) throw new NoDeadLetterTopicError(name)
  return { connector: name, topic }
}
