import type { ConnectorFailure, ConnectorHealth, ConnectorState } from './connector-state.ts'
import type { Meter } from './meter.ts'

/** What health is judged by. */
export interface HealthFacts {
  readonly state: ConnectorState
  readonly meter: Meter
  readonly stalledAfterMs: number
  readonly lastFailure: ConnectorFailure | undefined
}

const BROKEN = new Set<ConnectorState['status']>(['failed', 'fenced'])
const AT_WORK = new Set<ConnectorState['status']>(['starting', 'running', 'restarting'])

/** Judges by what moved: a connector that calls itself running and moves nothing, though there is something to do, is stalled. */
export function judgeHealth({ state, meter, stalledAfterMs, lastFailure }: HealthFacts): ConnectorHealth {
  const { lastEventAtMs, lastCommitAtMs, standingMs } = meter.times()
  const { activeRecords } = meter.figures
  const lag = meter.lag()
  const something = activeRecords > 0 || (lag ?? 0) > 0 || state.status === 'restarting' || state.status === 'starting'
  const stalled = AT_WORK.has(state.status) && something && standingMs >= stalledAfterMs
  const progress = stalled ? 'stalled' : something ? 'moving' : 'idle'
  const healthy = !stalled && !BROKEN.has(state.status)
  return { state, progress, healthy, lastEventAtMs, lastCommitAtMs, lag, activeRecords, lastFailure }
}
