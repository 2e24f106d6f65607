import type { Observable } from 'rxjs'
import type { ConnectorFailure, ConnectorHealth, ConnectorState, TimedEvent } from './connector-state.ts'
import type { ConnectorMetrics } from './metrics.ts'

/** A connector that `runConnectors` runs. */
export interface RunningConnector {
  readonly name: string
  readonly type: 'source' | 'sink'
  /** The state now, then each change; completes when it is closed. */
  readonly state$: Observable<ConnectorState>
  /** The lag, each second while it is watched; see {@link ConnectorHealth}. */
  readonly lag$: Observable<number | undefined>
  /** What went wrong, and what came of it. */
  readonly errors$: Observable<ConnectorFailure>
  /** What the connector reports. */
  readonly events$: Observable<TimedEvent>
  /** The metrics, each second while they are watched. */
  readonly metrics$: Observable<ConnectorMetrics>
  readonly state: ConnectorState
  /** Settled when it first comes to rest: resolves when the source has ended or it was closed. @throws ConnectorFailedError */
  readonly done: Promise<void>
  health(): ConnectorHealth
  metrics(): ConnectorMetrics
  /** Nothing moves until `resume`; resources are kept. Written to the log, so that it outlives this process, as are the next two. */
  pause(): Promise<void>
  /** Goes on, after `pause` or `stop`. */
  resume(): Promise<void>
  /** Gives its resources back. Resolves when they are: then offsets may be edited. */
  stop(): Promise<void>
  /** Begins a new life from what was committed, also after it failed, was fenced or has ended. */
  restart(): Promise<void>
}
