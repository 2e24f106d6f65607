import type { ConnectorEvent } from '../connector-event.ts'
import type { LifeFailure } from './life.ts'

/** What an operator wants of a connector: kept on the log, and obeyed by every runner of it. Names are Kafka Connect's. */
export type TargetState = 'STARTED' | 'PAUSED' | 'STOPPED'

/** Where a connector is in its life. */
export type ConnectorState =
  | { readonly status: 'starting' }
  | { readonly status: 'running' }
  /** Nothing moves; its resources are kept. */
  | { readonly status: 'paused' }
  /** Its resources are given back; offsets may be edited. */
  | { readonly status: 'stopped' }
  /** It failed and is started again after a while, from what was committed. `attempt` counts from 1 since it last got on. */
  | { readonly status: 'restarting'; readonly reason: unknown; readonly attempt: number; readonly delayMs: number }
  /** The source has nothing more, ever. */
  | { readonly status: 'ended' }
  /** It stopped for good: restart it when the cause is mended. */
  | { readonly status: 'failed'; readonly error: unknown }
  /** Another runner of the same name does the work. */
  | { readonly status: 'fenced'; readonly error: unknown }
  | { readonly status: 'closed' }

/** Something went wrong, and what came of it. */
export interface ConnectorFailure {
  /** When, milliseconds since the epoch. */
  readonly atMs: number
  /** An attempt is made again; a record was put aside; the connector restarts, or stopped for good. */
  readonly outcome: LifeFailure['kind'] | 'restarting' | 'failed' | 'fenced'
  readonly error: unknown
}

/** An event of a connector, with its time in milliseconds since the epoch. */
export interface TimedEvent extends ConnectorEvent {
  readonly atMs: number
}

/** How a connector is: by what moved, not by what it calls itself. */
export interface ConnectorHealth {
  readonly state: ConnectorState
  /** Something is done, there is nothing to do, or there is and nothing moved for longer than `stalledAfter`. */
  readonly progress: 'moving' | 'idle' | 'stalled'
  /** Neither failed, fenced nor stalled. */
  readonly healthy: boolean
  /** When the last record came in; milliseconds since the epoch, undefined for never. */
  readonly lastEventAtMs: number | undefined
  /** When something was last made safe at the other side; milliseconds since the epoch, undefined for never. */
  readonly lastCommitAtMs: number | undefined
  /** Of a sink: the records that its furthest partition is behind. Of a source: what it says, in its own unit. */
  readonly lag: number | undefined
  /** Records read and not committed. */
  readonly activeRecords: number
  readonly lastFailure: ConnectorFailure | undefined
}

/** What an operator may want next has to wait for nothing here: it has come to rest. */
export function isAtRest({ status }: ConnectorState): boolean {
  return status === 'ended' || status === 'failed' || status === 'fenced' || status === 'closed' || status === 'stopped'
}

/** Kafka Connect's name of the state. */
export function kafkaState(state: ConnectorState): string {
  switch (state.status) {
    case 'starting':
    case 'restarting':
      return 'RESTARTING'
    case 'running':
      return 'RUNNING'
    case 'paused':
      return 'PAUSED'
    case 'failed':
    case 'fenced':
      return 'FAILED'
    case 'ended':
    case 'stopped':
      return 'STOPPED'
    case 'closed':
      return 'UNASSIGNED'
  }
}
