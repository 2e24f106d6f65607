/**
 * The steps of the commit spine, in order (`commit/commit.ts`), and of its other half, the start (`commit/start.ts`).
 * A trace listener is called synchronously after each, so that measuring, and killing, happens outside of the doing.
 */
export type TraceStep =
  | 'commit:stopped'
  | 'commit:flushed'
  | 'commit:changelog-written'
  | 'commit:producer-flushed'
  | 'commit:transaction-committed'
  | 'commit:state-applied'
  | 'commit:published'
  | 'start:producer-initialized'
  | 'start:offsets-read'
  | 'start:changelog-ends-read'
  | 'start:restored'
  | 'abort:transaction-aborted'
  | 'abort:state-discarded'

/** Hears of every step; must not throw. */
export type Trace = (step: TraceStep) => void

/** The steps of one commit, in the order they happen. */
export const COMMIT_STEPS: readonly TraceStep[] = [
  'commit:stopped',
  'commit:flushed',
  'commit:changelog-written',
  'commit:producer-flushed',
  'commit:transaction-committed',
  'commit:state-applied',
  'commit:published'
]
