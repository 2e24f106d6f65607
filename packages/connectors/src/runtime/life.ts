import type { Environment, Log } from '@millrace/log'
import type { ConnectorEvent } from '../connector-event.ts'
import type { Gate } from './gate.ts'
import type { Meter } from './meter.ts'
import type { ConnectorStep } from './steps.ts'

/** One life of a connector, from its start to its end, a failure or a stop: what it runs in, and whom it tells. */
export interface Life {
  readonly name: string
  readonly log: Log
  readonly environment: Environment
  /** Aborted when this life is to end, after finishing what is under way. */
  readonly signal: AbortSignal
  /** Closed while the connector is paused: its resources are kept, and nothing moves. */
  readonly gate: Gate
  readonly meter: Meter
  /** Where this machine keeps state of the connector; undefined: in memory. */
  readonly stateDirectory: string | undefined
  /** It has opened what it needs, and works. */
  running(): void
  report(event: ConnectorEvent): void
  /** A record was put aside, or an attempt failed and is made again. */
  failed(failure: LifeFailure): void
  step(step: ConnectorStep): Promise<void> | void
}

/** A failure that the life has dealt with itself. */
export interface LifeFailure {
  readonly kind: 'retried' | 'dead-lettered'
  readonly error: unknown
}

/** How a life ended that did not fail. */
export type LifeEnd = 'ended' | 'stopped'
