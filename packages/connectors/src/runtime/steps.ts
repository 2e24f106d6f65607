/** Steps of a source's run, in order. Between any two of them the process may end, and nothing is lost or doubled. */
export const SOURCE_STEPS = [
  'source:fenced-predecessor',
  'source:positions-read',
  'source:state-restored',
  'source:opened',
  'source:transaction-begun',
  'source:records-written',
  'source:positions-written',
  'source:committed',
  'source:state-applied',
  'source:acknowledged'
] as const

/** Steps of a sink's run. */
export const SINK_STEPS = [
  'sink:assigned',
  'sink:opened',
  'sink:batch-taken',
  'sink:written',
  'sink:dead-letter-written',
  'sink:offsets-committed',
  'sink:closed'
] as const

/** One of {@link SOURCE_STEPS} or {@link SINK_STEPS}. */
export type ConnectorStep = (typeof SOURCE_STEPS)[number] | (typeof SINK_STEPS)[number]

/** Is told of each step, and waited for: tests kill a run there. */
export type ConnectorTrace = (step: ConnectorStep, connector: string) => Promise<void> | void
