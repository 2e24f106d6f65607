import type { Clock } from '../../environment/environment.ts'

/**
 * A clock for deadlines: it starts at the wall clock's time and goes on with the monotonic one, so that a jump of the wall clock ends no
 * session. Whole milliseconds since the epoch.
 */
export function steadyClock(clock: Clock): () => number {
  const startMs = clock.nowMs()
  const startMonotonicMs = clock.monotonicMs()
  return () => startMs + Math.floor(clock.monotonicMs() - startMonotonicMs)
}
