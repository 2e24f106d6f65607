import type { Clock } from './environment.ts'

/** The system's clocks. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now()
}
