import type { Log, Producer } from '@millrace/log'
import { type ConnectorHealth, type ConnectorState, kafkaState } from './connector-state.ts'
import { messageOf } from './failure.ts'
import { ensureCompacted, STATUS_TOPIC } from './names.ts'
import { readToEnd } from './read-topic.ts'

/** The status of a connector as it is kept on the log, and told over the control socket. */
export interface ConnectorStatus {
  readonly name: string
  readonly type: 'source' | 'sink'
  /** Kafka Connect's name of the state. */
  readonly state: string
  /** Of the runner that wrote it. */
  readonly worker: string
  readonly atMs: number
  /** What it failed of. */
  readonly trace?: string
  readonly progress?: ConnectorHealth['progress']
  readonly lag?: number
  readonly lastEventAtMs?: number
  readonly lastCommitAtMs?: number
}

/** The status in a form that JSON can carry. */
export function statusOf(
  who: { readonly name: string; readonly type: 'source' | 'sink'; readonly worker: string },
  health: ConnectorHealth,
  atMs: number
): ConnectorStatus {
  const { state, progress, lag, lastEventAtMs, lastCommitAtMs } = health
  const trace = traceOf(state)
  return {
    ...who,
    state: kafkaState(state),
    atMs,
    progress,
    ...(trace !== undefined && { trace }),
    ...(lag !== undefined && { lag }),
    ...(lastEventAtMs !== undefined && { lastEventAtMs }),
    ...(lastCommitAtMs !== undefined && { lastCommitAtMs })
  }
}

function traceOf(state: ConnectorState): string | undefined {
  if (state.status === 'failed' || state.status === 'fenced') return messageOf(state.error)
  return state.status === 'restarting' ? messageOf(state.reason) : undefined
}

/** Writes the status of connectors to `connect-status`, where it outlives them. */
export class StatusBoard {
  readonly #producer: Producer

  private constructor(producer: Producer) {
    this.#producer = producer
  }

  static async open(log: Log): Promise<StatusBoard> {
    await ensureCompacted(log, STATUS_TOPIC, 1)
    return new StatusBoard(log.producer())
  }

  /** Goes out with the next request; nobody waits for it, and a failure costs a status, no record. */
  post(status: ConnectorStatus): void {
    const key = Buffer.from(`status-connector-${status.name}`)
    this.#producer.enqueue(STATUS_TOPIC, 0, key, Buffer.from(JSON.stringify(status)), status.atMs)
  }

  async close(): Promise<void> {
    await this.#producer.close()
  }
}

/** The last known status of each connector, by name. */
export async function readStatuses(log: Log): Promise<Map<string, ConnectorStatus>> {
  await ensureCompacted(log, STATUS_TOPIC, 1)
  const statuses = new Map<string, ConnectorStatus>()
  for await (const { records } of readToEnd(log, { topic: STATUS_TOPIC, partitions: [0] })) {
    for (const { key, value } of records) {
      const name = key?.toString('utf8').replace(/^status-connector-/, '')
      if (name === undefined) continue
      if (value === null) statuses.delete(name)
      else statuses.set(name, JSON.parse(value.toString('utf8')))
    }
  }
  return statuses
}
